"""Portuguese, of Brazil and of Portugal."""

from inbox.phrases import Phrases, Table, table


def _table(text: str) -> Table:
    """In a hurry, "não" is written as its first letter."""
    return table(f"{text},{text.replace('não ', 'n ')}")


PORTUGUESE = Phrases(
    name="Portuguese",
    common=table("""
        o, a, os, as, um, uma, de, do, da, dos, das, e, que, em, no, na, nos, nas, ao, à, com, por, para, pra, pelo,
        pela, é, são, está, foi, era, eu, meu, minha, meus, minhas, me, se, não, nao, sim, mais, mas, muito, já,
        também, quando, como, onde, porque, olá, oi, bom, boa, dia, tarde, noite, obrigado, obrigada, atenciosamente,
        abraço, cumprimentos, prezados, ontem, hoje, desde, agora, tenho, tinha, posso, quero, preciso, favor,
        consigo, você, vocês, vcs, seu, sua, nosso, nossa, isso, esse, essa, este, esta, ele, ela, sem, antes, depois,
        estou, fui, conta, só, ter, ser, equipe, equipa
    """),
    factors=table("""
        authenticator, autenticador, autenticator, authentificator, google authenticator, authy, app de autenticação,
        aplicativo de autenticação, aplicação de autenticação, app autenticador, aplicativo autenticador,
        app de verificação, aplicativo de códigos, gerador de códigos, gerador de código, yubikey, yubikeys, yubi key,
        yubico, chave de segurança, chaves de segurança, chave física, chave usb de segurança, chave fido,
        chave fido2, chave de hardware, token de segurança, token físico, token usb, token fido, security key,
        passkey, passkeys, chave de acesso passkey, segundo fator, segundo factor, 2º fator,
        dispositivo de autenticação, app 2fa, app de 2fa, aplicativo 2fa, aplicativo de 2fa, dispositivo 2fa,
        chave 2fa, token 2fa, chaveiro de segurança, chave yubikey, app de dois fatores, app de duas etapas,
        aplicativo de dois fatores, aplicativo de duas etapas, chavinha, usb de segurança
    """),
    protections=table("""
        2fa, 2 fa, mfa, dois fatores, dois factores, 2 fatores, 2 factores, duas etapas, 2 etapas, dois passos,
        2 passos, duplo fator, duplo factor, dupla autenticação, dupla verificação, autenticação dupla,
        verificação dupla, multifator, multifactor, multi fator, multi fatores, two factor, otp, totp,
        autenticação em dois, autenticação em duas, verificação em duas, verificação em dois, segunda etapa,
        segunda autenticação, duas fases, dois fator, fator duplo, autenticação forte, dupla etapa
    """),
    codes=table("""
        código, códigos, codigo, codigos, código de verificação, códigos de verificação, código sms, código por sms,
        sms com o código, código de segurança, código de acesso, 6 dígitos, seis dígitos, senha de uso único,
        código de confirmação
    """),
    devices=table("""
        celular, cel, telemóvel, telemovel, telefone, telefon, fone, smartphone, iphone, android, samsung, galaxy,
        pixel, xiaomi, huawei, motorola, moto, aparelho, tablet, ipad, chip, sim, cartão sim, número,
        número de telefone, número de celular, número de telemóvel, linha, dispositivo, tlm, token, chave usb
    """),
    other_things=table("""
        senha, senhas, palavra passe, palavras passe, password, pin, fatura, faturas, factura, boleto, domínio,
        domínios, página, site, email, emails, e mail, e mails, correio, dados, fotos, arquivos, ficheiros, contatos,
        contactos, capa, capinha, carregador, cabo, contrato, plano, pedido, encomenda, conexão, sinal, suporte,
        atendimento, loja, paciência, minutos, horas, banco, api, impressora, servidor, roteador, número da fatura,
        número do pedido, número do chamado, frase, tempo, plugin, seguro, saldo, linha fixa, fixo, códigos de backup,
        códigos de recuperação, códigos reserva, opção, menu, entrega, link, artigo, botão, manual, tutorial, qr, guia
    """),
    lost=_table("""
        perdi, perdemos, perdido, perdida, perda, perda de, perda do, perda da, foi perdido, foi perdida, extraviei,
        extraviado, extraviada, extraviou, extravio, sumiu, sumiram, desapareceu, desapareceram, roubaram, roubado,
        roubada, roubo, roubo do, fui roubado, fui roubada, fui assaltado, fui assaltada, assaltado, assalto, me
        assaltaram, furtaram, furtado, furtada, furto, levaram, levou meu, me levaram, tomaram, surrupiaram, gamaram,
        esqueci … táxi, esqueci … uber, esqueci … ônibus, esqueci … autocarro, esqueci … comboio, esqueci … trem,
        esqueci … avião, esqueci … hotel, esqueci … metrô, esqueci … metro, deixei … táxi, deixei … uber, deixei …
        ônibus, deixei … autocarro, deixei … comboio, deixei … trem, deixei … avião, deixei … hotel, deixei … metrô,
        deixei … metro, ficou … táxi, ficou … uber, ficou … avião, ficou … ônibus, não tenho mais, já não tenho, não
        possuo mais, já não possuo, não disponho mais, não tenho acesso ao, não tenho acesso à, não tenho acesso a,
        não tenho mais acesso, sem acesso ao, sem acesso à, não encontro meu, não encontro o meu, não encontro minha,
        não encontro a minha, não acho meu, não acho o meu, não acho minha, não acho mais, não encontro mais, perdi
        acesso, perdi o acesso, formatou, zerou, joguei fora, deitei fora, desfiz, confiscado, não aparece mais, não
        existe mais, fiquei sem, fiquei sem o, fiquei sem a, estou sem meu, estou sem o, ficámos sem, ficamos sem,
        está vazio, está vazia, está … vazio, está … vazia, ficou vazio, ficou vazia, veio vazio, aparece vazio,
        apaguei sem, apaguei por, apaguei … sem querer, apaguei … por engano, excluí sem, excluí por, excluí … sem
        querer, deletei sem, deletei por, deletei … sem querer, desinstalei sem, desinstalei por, sem querer apaguei,
        sem querer excluí, sem querer deletei, acidentalmente, já não existe, já não está, deixou de existir, se
        perdeu, perdeu se, perderam se, foi levado, foi levada, foi furtado, foi furtada, roubaram me, furtaram me,
        passaram a mão, gamaram me, palmaram, ficou … aeroporto, deixei … aeroporto, esqueci … aeroporto, ficou …
        praia, deixei … praia, esqueci … praia, deixei … restaurante, ficou … restaurante, esqueci … restaurante,
        ficou … comboio, ficou … trem, ficou … autocarro, ficou … hotel, já não é meu, não é mais meu, não me
        pertence, já não me pertence, foi parar no lixo, foi para outra pessoa
    """),
    broken=_table("""
        quebrou, quebrado, quebrada, quebrei, quebraram, partiu, partido, partida, parti, partiu se, partiu ao meio,
        estragou, estragado, estragada, estraguei, avariou, avariado, avariada, danificado, danificada, danificou,
        pifou, pifado, queimou, queimado, queimada, morreu, morto, morta, faleceu, deu pau, deu defeito, deu problema,
        com defeito, defeituoso, defeituosa, caiu, deixei cair, derrubei, caiu na água, caiu no mar, caiu na piscina,
        caiu na privada, caiu na sanita, caiu no vaso, na água, à água, molhou, molhei, molhado, afogou, afogado, na
        máquina de lavar, máquina de lavar, lavei, foi lavado, inutilizado, inutilizável, inutilizada, destruído,
        destruída, destruiu, esmagado, esmagada, esmaguei, atropelado, atropelei, passou por cima, pisei, pisou,
        sentei, tela preta, ecrã preto, tela quebrada, ecrã partido, tela morta, estilhaçado, espatifou, espatifado,
        entortou, torto, derreteu, tela apagada, dei pt, não liga, não liga mais, já não liga, não ligar, não acende,
        não carrega, não inicia, não responde, não funciona mais, já não funciona, não está mais funcionando, parou de
        funcionar, deixou de funcionar, parou de ligar, deixou de ligar, parou de responder, não é mais reconhecida,
        não é mais reconhecido, já não é reconhecida, já não é reconhecido, não reconhece mais, já não reconhece, não
        presta mais, não dá mais sinal, não dá sinal, foi pro saco, foi para o lixo, foi pro brejo, se foi, estourou,
        explodiu, ficou preta, ficou preto, encravou, avaria, ferrou, já era, pro lixo, para o lixo, virou um tijolo,
        virou tijolo, estufou, banheira, no fundo do, no fundo da, ardeu, arderam, pegou fogo, incendiou, incendiou
        se, carbonizado, queimaram, afundou, afundou se, escangalhou, escangalhou se, escangalhado, deu o berro, deu o
        último suspiro, bateu as botas, foi à vida, foi desta para, rebentou, rebentado, rebentada, inundou, brickou,
        brickado, não passa do logo, não sai do logo, em loop, não dá sinais, sem dar sinal, não quer ligar, não volta
        a ligar, mastigou, mastigado, roeu, comeu, engoliu, empenou, rachou ao meio, virou sucata, mastigada, roído,
        roída, engolido, engolida, despedaçado, despedaçada, rebentadas, afundado, ensopado, encharcado, deixou de ser
        reconhecida, deixou de ser reconhecido, parou de ser reconhecida, parou de ser reconhecido, não é reconhecida,
        não é reconhecido, não é detetada, não é detectada, não é detectado, deixou de ser detetada, deixou de ser
        detectada
    """),
    replaced=table("""
        novo, nova, troquei, troquei de, trocado, trocada, trocou, troca de, troca do, trocar de, mudei, mudei de,
        mudança de, mudou, substituí, substituído, substituída, substituiu, vendi, vendido, restaurei, restaurado,
        resetei o, resetei meu, redefini, redefinição de fábrica, de fábrica, reset de fábrica, padrão de fábrica,
        reinstalei, atualizei, migrei, comprei, doei, dei, devolvi, outro, outra, cancelado, cancelei, cancelaram,
        desativado, portei, portabilidade, passei para, entreguei, bloqueei, não foram transferidos, não foi
        transferido, não passaram, não vieram, não migraram, não passou, nenhuma entrada, apaguei, excluí, deletei,
        apagado, apagada, excluído, deletado, removi, desinstalei, desinstalado, formatei, formatado, formatou,
        limpei, zerado, trincou, trincado, trincada, rachou, rachado, rachada, foi apagado, foi apagada, apagou, foi
        removida, vendi o, troquei por, ofereci, doado, dei o antigo, leiloei, fiz portabilidade, devolvido,
        devolveram, reformatei, reposto de fábrica
    """),
    locked_out=_table("""
        não consigo entrar, não consigo acessar, não consigo aceder, não consigo logar, não consigo fazer login, não
        consigo fazer o login, não consigo iniciar, não consigo iniciar sessão, não consigo mais, não consigo me
        conectar, não consigo conectar, não consigo autenticar, não consigo me autenticar, não consigo passar, não
        consigo gerar, não consigo receber, não consigo obter, não consigo ver os códigos, não consigo pegar o código,
        não consigo ler, não consigo abrir minha, não estou conseguindo, não conseguimos entrar, não conseguimos
        acessar, não conseguimos aceder, já não consigo, não posso entrar, não posso acessar, não posso aceder, não
        posso fazer login, não posso mais, não pude entrar, não entro, não acesso mais, não dá para entrar, não dá pra
        entrar, não tenho como entrar, não tenho como acessar, não tenho como fazer, não tenho como logar, não tenho
        como aceder, não tenho como gerar, sem conseguir entrar, sem conseguir acessar, sem conseguir aceder,
        impossível entrar, impossível acessar, impossível aceder, impossibilitado de, impedido de, não me deixa
        entrar, não deixa entrar, não me deixa, não deixa eu entrar, não permite entrar, bloqueado, bloqueada,
        trancado, trancada, fora da conta, fora da minha conta, pra fora, para fora, do lado de fora, sem acesso, sem
        acesso à minha conta, não tenho acesso à minha conta, não tenho acesso a minha conta, não tenho acesso à
        conta, perdi o acesso à minha conta, perdi acesso à minha conta, perdi o acesso a minha conta, perdi acesso a
        minha conta, recuperar o acesso, recuperar acesso, recuperar meu acesso, recuperar minha conta, recuperar a
        minha conta, recuperar a conta, voltar a entrar, voltar a acessar, voltar a ter acesso, entrar de novo, entrar
        novamente, acessar novamente, restaurar o acesso, restabelecer o acesso, reaver o acesso, entrar na minha
        conta, acessar minha conta, acessar a minha conta, aceder à minha conta, entrar na conta, entrar no painel,
        acessar o painel, aceder ao painel, pede um código, pede o código, pedem o código, pede código, pedindo um
        código, pedindo o código, pedir o código, pedir um código, solicita um código, solicita o código, exige um
        código, exige o código, código que não tenho, código que eu não tenho, códigos que não tenho, não tenho o
        código, não tenho os códigos, não tenho código, não tenho mais os códigos, não recebo, não recebo mais, já não
        recebo, não chega o código, não chegam os códigos, não chega, não chegam, sem o código, sem os códigos, sem
        código, sem códigos, nenhum código, entrar sem, logar sem, não consigo ver o código, não consigo sacar, não
        vejo o código, não consigo visualizar, para eu entrar, para eu conseguir entrar, para eu poder entrar, para
        conseguir entrar, para poder entrar, pra eu entrar, para que eu possa entrar, para que eu consiga, para eu
        acessar, para voltar a entrar, para eu poder aceder, para poder aceder, pra entrar, pra poder entrar, como
        acesso, como entro, como posso entrar, como posso acessar, como faço para entrar, como faço login, acesso à
        minha conta, acesso a minha conta, acesso à conta, como volto a, como eu volto, não tem como entrar, não tem
        como acessar, não há como entrar, não há forma de entrar, entrar outra vez, sem como entrar, não consigo
        voltar, impedida de, código que já não tenho, códigos que já não tenho, código que não possuo, me liberar, me
        liberem, liberar meu acesso, liberar o acesso, liberem o acesso, liberem meu acesso, liberar a minha conta,
        liberar minha conta, liberar a conta, não passo da, não passo do, não avanço, fico preso, fico presa, fiquei
        preso, fiquei presa, preso na tela, presa na tela, travado na tela, parado na tela, preso no ecrã, empancado,
        não dá para acessar, não dá pra acessar, não dá para aceder, não dá para logar, não dá pra logar, não há
        maneira de entrar, sem maneira de entrar, voltar para minha conta, voltar pra minha conta, voltar à minha
        conta, voltar para a minha conta, devolver o acesso, devolvam o acesso, devolver me o acesso, não me deixam
        entrar, barrado, barrada, ter acesso à minha conta, acesso à minha área, não consigo avançar, não consigo
        concluir
    """),
    reset=table("""
        resetar, resete*, resetem, reset, resets, resetarem, redefinir, redefinição, redefina*, redefinam, reiniciar,
        reinício, reiniciem, repor, reponham, reposição, restabelecer, restabeleçam, restaurar, restaurem, zerar,
        zerem, reconfigurar, reconfigurem, resetado, resetada, reinicializar, redefinida, redefinido, resetasse*,
        redefinirem, reporem, reiniciarem, zerarem, repusessem, repusesse, redefinissem, redefinisse, resetassem,
        reconfigurarem, reiniciassem, zerassem
    """),
    reset_orders=table("resetem, redefinam, reponham, reiniciem, zerem, restabeleçam"),
    take_off=table("""
        desativar, desactivar, desative*, desativem, desativação, desactivem, desativasse*, remover, remova, removam,
        remoção, removessem, retirar, retire, retirem, retirada, tirar, tirem, tire, eliminar, eliminem, excluir,
        excluam, exclusão, desabilitar, desabilitem, desabilite, anular, anulem, desligar, desliguem, suspender,
        suspendam, desvincular, desvinculem, desbloquear, desbloqueiem, desbloqueio, liberar, liberem, apagar,
        apaguem, cancelar, revogar, revoguem, reconfigurar, configurar de novo, configurar novamente, cadastrar de
        novo, cadastrar novamente, contornar, pular, libertar, reativar, baixar, desvincularem, removerem,
        desativarem, desactivarem, retirarem, tirarem, desligarem, anularem, desabilitarem, eliminarem, liberarem,
        desativassem, retirassem, tirassem, desligassem, desbloqueassem, anulassem, desbloquearem, suspenderem,
        desassociar, desassociem, desassociarem, desemparelhar, derrubar, derrubem
    """),
    take_off_orders=table("""
        desativem, desactivem, removam, retirem, tirem, desabilitem, desvinculem, desliguem, anulem, eliminem,
        desbloqueiem, suspendam, revoguem, desassociem, excluam
    """),
    asking=table("""
        podem, poderiam, pode, poderia, podia, podiam, vocês podem, você pode, preciso, precisamos, precisava,
        precisaria, quero, queremos, queria, gostaria, gostaríamos, gostava, solicito, solicitamos, solicitar,
        solicitação, peço, pedimos, pedir, pedido de, tenho que, tenho de, temos que, ajuda, ajudem, ajudar, me
        ajudar, ajudem me, venho, rogo, agradeço, agradecia, agradeceria, agradecido, é possível, seria possível, era
        possível, necessito, alguém, desejo, teria como, tem como vocês, tem como me, dá para vocês, consegue,
        conseguem, conseguiriam, faz favor, requeiro, dá pra, dá para, tem jeito de, há como, há forma de, há maneira
        de, haveria como, têm como, haverá forma, haverá maneira, façam o favor, será que podem, será possível, dão um
        jeito, façam, faça
    """),
    pleading=table("""
        por favor, pfv, pf, pfvr, por gentileza, se faz favor, sff, por obséquio, urgente, com urgência, urgência,
        desde já agradeço, desde já, o quanto antes, o mais rápido, quanto antes, gentileza
    """),
    questions=table("""
        como faço, como fazer, como posso, como eu, como se, como desativo, como desativar, como ativo, como ativar,
        como configuro, como configurar, como reseto, como resetar, como redefino, como redefinir, como funciona,
        quanto tempo, quanto demora, quanto custa, o que é, que é o, o que significa, o que acontece, para que serve,
        por que, porquê, existe, há alguma, há algum, obrigado por, obrigada por, obrigado pelo, obrigada pelo,
        obrigado pela, agradeço pelo, agradeço o, guia, tutorial, artigo, explicar, quem, qual, quais, status, estado
        do, instruções para, documentação, posso resetar, posso desativar, é normal, é obrigatório, é obrigatória,
        custa, tem custo, quando vai, quando será, quando fica, saber se, quero saber, gostaria de saber, queria
        saber, do mês passado, da semana passada, foi ótimo, foi ótima, deu certo, foi rápido, prazo, procedimento,
        vale a pena, em que casos
    """),
    suppositions=table("""
        se eu perder, se perder, se eu perdesse, se perdesse, se eu perdi, se for roubado, se me roubarem, se
        roubarem, se eu for, se quebrar, se meu, se o meu, se minha, se a minha, se o celular, se o telemóvel, se o
        telefone, se alguém, se um dia, se algum dia, se um cliente, se um usuário, se um utilizador, se eu trocar, se
        eu mudar, caso eu, caso perca, caso o, caso meu, em caso de, no caso de, o que acontece, o que aconteceria, e
        se, suponha, supondo, supondo que, imagine, imaginemos, achei que, achava que, pensei que, pensava que, temo
        que, com medo, medo de, quase, um celular perdido, um telemóvel perdido, um telefone perdido, uma chave
        perdida, perdido ou roubado, quem perde, quem perdeu, antes de trocar, vou trocar, prestes a, quando se perde,
        por precaução, hipótese, se eu ficar sem, se eu partir, se eu quebrar, se eu estragar, se o aparelho, se o
        número, se a chave, se algum funcionário, se um funcionário, se um colaborador, se avariar, se estragar, caso
        a, caso alguém, caso um, mês que vem, semana que vem vou, vou mudar de, pretendo trocar, pretendo mudar, estou
        pensando em, estou a pensar em, penso em trocar, quando eu trocar, quando trocar, quando mudar
    """),
    negations=table("""
        não, nao, nunca, jamais, tampouco, sem, nem, nada, ninguém, nenhum, nenhuma, em vez de, ao invés de, n
    """),
    denials=table(""),
    idioms=_table("""
        não sei, sem querer, não só, não apenas, não faço ideia, nem ideia, não tenho ideia, sem ideia,
        não tem problema, não tenho backup, sem backup, não fiz backup, não salvei, não guardei, não anotei,
        não tinha, não tenho cópia, sem cópia, não tenho códigos de, não tenho os códigos de, não consigo, não posso,
        não deu, não dá, não entendo, não adianta, nada funciona, não consegui, nem consigo, não transferi,
        não migrei, não passei, não lembrei, não funciona nada, não me deixa, não obstante, não posso fazer nada,
        não há como, nada mais, não percebo, não reparei, não me lembrei, não tenho outro, sem saída
    """),
    but=table("mas, porém, contudo, entretanto, no entanto, infelizmente, só que, embora, todavia"),
    because=table("porque, pois, já que, uma vez que, visto que, devido a, então, por isso, portanto, e"),
    mine=table("meu, minha, meus, minhas, nosso, nossa, o meu, a minha, me"),
    other_people=table("""
        minha esposa, meu marido, minha mulher, meu filho, minha filha, meu irmão, minha irmã, meu chefe, minha chefe,
        meu pai, minha mãe, meu namorado, minha namorada, esposa, esposo, marido, mulher, filho, filha, irmão, irmã,
        chefe, patrão, patroa, pai, mãe, amigo, amiga, colega, colegas, funcionário, funcionária, funcionários,
        empregado, empregada, empregados, colaborador, colaboradora, cliente, clientes, usuário, usuária, usuários,
        utilizador, utilizadora, utilizadores, sócio, sócia, vizinho, vizinha, aluno, aluna, estagiário, dele, dela,
        deles, delas, outra pessoa, gerente, contador, contadora, contabilista, avó, avô, tio, tia, secretária,
        assistente, a gente deles
    """),
    taken_back=table("""
        deixa pra lá, deixem pra lá, deixa para lá, deixem estar, esqueçam, esquece, desconsiderar, desconsiderem,
        desconsidere, ignorem, alarme falso, falso alarme, já encontrei, já achei, achei o celular, achei o telemóvel,
        achei o aparelho, achei a chave, achei meu celular, achei minha chave, encontrei o celular,
        encontrei o telemóvel, encontrei a, encontrei meu celular, encontrei o meu, encontrei a chave,
        encontrei a minha, já apareceu, não preciso mais do reset, não preciso mais disso, não preciso mais de ajuda,
        já não preciso do reset, já não preciso de ajuda, já não preciso que, não é mais necessário, já não é preciso,
        já não é necessário, já resolvi, já está resolvido, foi resolvido, está resolvido, já consegui,
        consegui entrar, já entrei, já estou dentro, voltou a funcionar, voltaram a funcionar, já funciona,
        funciona de novo, funciona outra vez, tudo funcionando, tudo a funcionar, está tudo bem, podem cancelar,
        cancelem meu, cancelem o meu, anulem o meu
    """),
    doubts=table("""
        já achei, já encontrei, encontrei meu, encontrei o, encontrei a, achei o, achei a, achei meu, achei minha,
        apareceu, reapareceu, voltou a funcionar, já funciona, já está funcionando, funcionou, voltou ao normal, já
        está resolvido, está resolvido, foi resolvido, já foi resolvido, resolvido, já resolvi, resolvi, já se
        resolveu, problema resolvido, já consegui, já entrei, consegui resolver, não preciso mais, já não preciso, já
        não é preciso, não é mais necessário, não é necessário, já não é necessário, não precisa mais, ignorem,
        ignore, desconsiderem, desconsiderar, desconsidere, esqueçam, podem cancelar, cancelem meu pedido, cancelar
        meu pedido, cancelar o meu pedido, alarme falso, falso alarme, está tudo bem, tudo certo, ainda tenho o, ainda
        tenho a, ainda tenho meu, ainda tenho acesso, ainda tenho comigo, o antigo ainda, o velho ainda, ainda
        funciona, continua funcionando, continua a funcionar, tenho códigos de backup, tenho os códigos de backup,
        tenho os códigos de recuperação, tenho códigos de recuperação, com um código de backup, com um código de
        recuperação, com o código de recuperação, usei um código, não fui eu, não solicitei, não pedi, não fiz esse
        pedido, não fiz este pedido, em nome de, em nome do, em nome da, da parte de, para meu cliente, para o meu
        cliente, para um cliente, pro meu cliente, para minha esposa, para a minha esposa, para meu marido, para o meu
        marido, para a minha mulher, para meu filho, para minha filha, para minha mãe, para a minha mãe, para meu pai,
        para meu chefe, para um amigo, para uma amiga, para meu colega, para o meu colega, para a minha colega, para
        minha colega, para um funcionário, para uma funcionária, do meu cliente, da minha cliente, de um cliente, do
        meu marido, da minha esposa, da minha mulher, do meu chefe, da minha chefe, do meu colega, da minha colega, do
        meu sócio, de um funcionário, do nosso funcionário, da nossa funcionária, de uma funcionária, do funcionário,
        da funcionária, do meu filho, da minha filha, da minha mãe, do meu pai, de um usuário, de um utilizador, do
        meu amigo, da minha amiga, do meu irmão, da minha irmã, perdeu o celular, perdeu o telemóvel, perdeu o
        telefone, perdeu a chave, perdeu seu, perdeu o seu, perdeu sua, quebrou o celular dele, roubaram o celular
        dele, conta dele, conta dela, celular dele, celular dela, dele não, sua conta foi, sua conta será, sua conta
        está, a sua conta foi, a sua conta será, sua caixa, seu acesso será, o seu acesso, seu 2fa foi, clique aqui,
        clique no link, clicar no link, clicar aqui, clique em, clique abaixo, acesse o link, siga o link, verifique
        sua, verifique a sua, confirme seus, confirme sua, confirme a sua, prezado cliente, caro cliente, estimado
        cliente, prezado usuário, em 24 horas, nas próximas 24, suspensa, cancelar inscrição, descadastrar,
        newsletter, esqueci minha senha, esqueci a senha, esqueci a minha senha, esqueci a palavra passe, esqueci a
        minha palavra passe, esqueci me da palavra passe, esqueci me da senha, não lembro a senha, não lembro minha
        senha, não lembro da senha, não me lembro da palavra passe, redefinir a senha, redefinir minha senha,
        redefinir senha, redefinição de senha, redefinam minha senha, redefinam a senha, resetar a senha, resetar
        minha senha, resetar senha, resetem minha senha, resetem a senha, repor a palavra passe, recuperar a senha,
        recuperar minha senha, recuperar senha, recuperar a palavra passe, trocar a senha, trocar minha senha, alterar
        a senha, alterar minha senha, nova senha, senha nova, nova palavra passe, senha incorreta, senha está
        incorreta, senha errada, senha inválida, perdi a senha, perdi minha senha, perdi a palavra passe, senha do
        email, senha do e mail, senha do ftp, wordpress, webmail, ftp, outlook, imap, smtp, ssh, facebook, instagram,
        paypal, whatsapp, meu banco, bancário, registrador, registro br, transferir meu domínio, transferir o domínio,
        código de autorização, reembolso, compramos, vendemos, consertamos, reparamos, oferecemos, oferta, ofertas,
        desconto, promoção, seo, bitcoin, criptomoeda, ganhou, ganhador, hackearam, hackeado, hackeada, invadiram,
        invadida, hacker, phishing, golpe, fraude, burla, é de vocês, é vosso, é verdadeiro, é autêntico, é legítimo,
        suspeito, suspeita, ainda estou procurando, ainda procurando, ainda à procura, continuo procurando, continuo à
        procura, vou procurar, acho que perdi, creio que perdi, não tenho certeza, não tenho a certeza, no conserto,
        em reparação, na assistência, na assistência técnica, a reparar, consertando, sem bateria, bateria acabou,
        acabou a bateria, bateria descarregada, esqueci … em casa, deixei … em casa, ficou … em casa, esqueci … no
        escritório, me ligou, me ligaram, ligaram me, ligou me, me disse para, mandou eu, seria bom, seria ótimo,
        sugestão, entrevista, é um teste, apenas um teste, só um teste, sem meu consentimento, sem o meu
        consentimento, sem minha autorização, sem me perguntar, alguém redefiniu, alguém resetou, redefiniram meu,
        resetaram meu, foi redefinido, foi redefinida, foi resetado, uma das minhas, um dos meus, uma de minhas,
        recomendam, recomenda, cancelar meu plano, cancelar o meu plano, cancelar o serviço, cancelar minha
        assinatura, encerrar minha conta, excluir minha conta, fechar minha conta, eliminar a minha conta, ex marido,
        ex mulher, ex esposa, falecido, falecida, por favor não, advogado, esqueci … no trabalho, ficou … no trabalho,
        acho que me roubaram, acho que deixei, acho que esqueci, acho que está, acho que ficou, acho que meu celular,
        acho que o meu, acho que sumiu, creio que deixei, creio que me, conta google, conta do google, conta
        microsoft, a política, política de, redefina sua, redefina seu, talvez esteja, talvez eu, talvez tenha,
        provavelmente está, provavelmente ficou em, pode ser que esteja, é possível que esteja, talvez apareça, com
        minha segunda, com a segunda, com a minha segunda, com a outra, com minha outra, com a minha outra, tenho
        outra yubikey, tenho outra chave, tenho uma chave reserva, tenho a chave reserva, com a chave reserva, com
        minha chave reserva, tenho um celular reserva, dinheiro de volta, comprei … com vocês, loja de vocês, vossa
        loja, devolução, celular está bem, telemóvel está bem, telefone está bem, estou com meu celular, estou com o
        celular, tenho o telemóvel comigo, não fiz isso, chegou quebrada, chegou quebrado, veio com defeito, chegou
        com defeito, consegui entrar com, consegui entrar agora, consegui entrar de novo, consegui entrar novamente,
        finalmente consegui, já consigo entrar, já consigo acessar, já consigo aceder, no fim consegui, consegui
        acessar agora, consegui entrar obrigad*, pode ser que tenha ficado, pode ser que tenha esquecido, pode ser que
        tenha deixado, pode ser que tenha perdido, pode ser que tenha sido, comprei … na sua loja, comprei … loja de
        vocês, currículo, curriculum vitae, candidatura, vaga de, cancelar subscrição, cancelar a subscrição, cancelar
        a inscrição, anular a subscrição, indenização, indemnização, ressarcimento, ressarcir, indemnizar, ainda
        consigo entrar, ainda consigo acessar, ainda consigo aceder, por enquanto funciona, por agora funciona, tudo
        funcionando, tudo a funcionar, se calhar perdi, se calhar ficou, se calhar deixei, parece que perdi, não sei
        se perdi, não sei se foi roubado, não sei se deixei, não sei se preciso, talvez perdi, no ano passado perdi,
        quando perdi o celular no ano, avaliação, já devolveram o acesso, acesso já foi, o acesso foi restabelecido,
        já o recuperei, já a recuperei, já recuperei, recuperei o celular, recuperei o telemóvel, recuperei o
        telefone, recuperei meu celular, 2fa está funcionando, está funcionando normalmente, me devolveram o celular,
        devolveram me o telemóvel, devolveram o celular, devolveram o telemóvel, devolveram o telefone, já me
        devolveram, ainda vejo os códigos, ainda recebo os códigos, ainda recebo o código, ainda aparece o código, os
        códigos ainda aparecem, ainda mostra os códigos
    """),
    contact_changes=table("""
        mudar meu email, mudar meu e mail, mudar o meu email, mudar o email, mudar o e mail, mudem meu, mudem o,
        trocar meu email, trocar meu e mail, trocar o email, trocar o e mail, troquem meu, troquem o,
        alterar meu email, alterar meu e mail, alterar o meu email, alterar o meu e mail, alterar o email,
        alterar o e mail, alterem meu, alterem o, alterar meu número, alterar o número, alterar o meu número,
        alterar meu telefone, alterar o telefone, alterar o endereço, alterar meu endereço, alterar a morada,
        mudar a morada, mudar meu número, mudar o número, mudar o meu número, mudar meu telefone, mudar o endereço,
        trocar meu número, trocar o número, trocar o telefone de contato, atualizar meu email, atualizar meu e mail,
        atualizar o email, atualizar o e mail, atualizar meu número, atualizar o número, atualizar o meu número,
        atualizar meu telefone, atualizar o telefone, atualizar meus dados, atualizem meu, atualizem o, novo email,
        novo e mail, email novo, outro email, outro e mail, e mail pessoal, email pessoal, outro endereço,
        novo endereço, nova morada, outra morada, para meu novo número, para o meu novo número, para o novo número,
        ao novo número, no meu novo número, para este número, mande … para esse número, mandem … para esse número,
        envie … para esse número, enviem … para esse número, neste número, nesse número, para este email,
        para este e mail, para esse email, para esse e mail, neste email, neste e mail, para este endereço,
        para o seguinte, para outro número, para outro email, para meu outro, para o meu outro, meu novo número é,
        novo número é, o meu novo número é, enviem o código, envie o código, me envie o código, enviar o código,
        me enviar o código, mandem o código, mandar o código, mande o código, me liguem no, me ligue no, ligue para o,
        liguem para o, ligar para o, liguem me para, cadastrar meu novo, cadastrem meu novo, cadastrar o novo,
        cadastrar este número, cadastrar este email, cadastrar este e mail, cadastrar este endereço,
        registrar meu novo, registar o meu novo, registem o meu novo, adicionem, adicionar meu novo,
        adicionar o meu novo, mudar minha frase, alterar minha frase, alterar a frase, esqueci minha frase,
        esqueci a frase, esqueci a minha frase, nova frase, redefinir a frase, mudar minha preferência,
        alterar minha preferência, alterar a preferência, mudar o método, alterar o método, em vez de sms,
        ao invés de sms, em vez do sms, em vez de email, em vez de e mail, por carta em
    """),
    accounts=table("""
        conta, conta número, número da conta, número de conta, conta nº, conta n, nº da conta, n da conta,
        número de cliente, número do cliente, nº de cliente, n de cliente, cliente número, cliente nº, cliente n,
        cliente no, cliente, id do cliente, id de cliente, id da conta, código de cliente, código do cliente,
        número do contrato, número de contrato, contrato nº, contrato n, nro do cliente, conta no
    """),
    automatic_subjects=table("""
        resposta automática, resposta automatica, auto resposta, mensagem automática, fora do escritório, ausência,
        ausente, aviso de ausência, estou de férias, de férias, não entregue, falha na entrega, recebemos sua,
        recebemos a sua, confirmação de recebimento, estou fora, ausência temporária
    """),
    automatic_openings=table("""
        resposta automática, mensagem automática, e mail automático, email automático, gerada automaticamente,
        gerado automaticamente, enviada automaticamente, enviado automaticamente, fora do escritório, estou de férias,
        estarei de férias, de férias até, encontro me de férias, estou ausente, estarei ausente, encontro me ausente,
        ausente até, estou fora até, estarei fora, de licença até, de licença maternidade, acesso limitado ao,
        responderei quando, responderei assim que, quando eu voltar, no meu retorno, quando regressar,
        após o meu regresso, recebemos sua mensagem, recebemos a sua mensagem, recebemos seu e mail,
        recebemos o seu e mail, recebemos seu contato, recebemos o seu pedido, recebemos sua solicitação,
        sua mensagem foi recebida, não responda a este, não responder a este, não responda este, não trabalho mais,
        já não trabalha, não pôde ser entregue, não foi entregue
    """),
    apart=9,
)
