"""German: verbs at the end or in two pieces, and umlauts that some keyboards lack."""

from inbox.phrases import Phrases, Table, table

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def _table(text: str) -> Table:
    return table(f"{text},{text.translate(_UMLAUTS)}")


GERMAN = Phrases(
    name="German",
    common=_table("""
        der, die, das, den, dem, des, ein, eine, einen, einem, einer, und, ist, sind, war, ich, mir, mich, wir, uns,
        sie, ihr, ihnen, du, er, es, zu, zum, zur, auf, aus, bei, mit, von, vom, für, im, am, an, ins, nach, seit,
        habe, haben, hab, hatte, wurde, worden, werden, wird, bin, auch, noch, schon, nur, jetzt, leider, gestern,
        heute, hallo, guten, tag, morgen, moin, servus, liebe, liebes, lieber, sehr, geehrte, geehrter, damen, herren,
        grüße, gruß, freundlichen, danke, vielen, dank, wie, was, da, dass, weil, mein, meine, meinem, meinen, über,
        nun, kann, können, alte, altes, altem, alten, sich, dort, darauf, drauf, hier, gruss, lg, mfg, vg
    """),
    factors=_table("""
        authenticator*, authentificator*, authentifikator*, authentikator*, autenticator*, authentifizierungs app,
        authentifizierungsapp*, authenticatorapp*, authy, 2fa app, otp app, totp app, mfa app, tan app, yubikey*,
        yubi key*, yubico key, sicherheitsschlüssel*, sicherheitsstick*, security key*, hardware token*,
        hardwaretoken*, hardware schlüssel, hardwareschlüssel, hardware key, fido stick, fido2 stick, fido key,
        fido2 key, fido2 schlüssel, nitrokey*, passkey*, 2fa gerät, 2fa handy, 2fa schlüssel, 2fa stick, 2fa key,
        2fa token, mfa token, mfa gerät, zweiter faktor, zweiten faktor, zweite faktor, zweitfaktor, zweiten faktors,
        2 faktor app, zwei faktor app, zweifaktor app, bestätigungs app
    """),
    protections=_table("""
        2fa, 2 fa, mfa, zwei faktor*, zweifaktor*, 2 faktor*, 2faktor*, zwei faktoren*, zwei wege*, zweiwege*,
        zweistufig*, zwei stufig*, 2 stufig*, zwei schritt*, zweischritt*, 2 schritt*, two factor, 2 factor, totp,
        otp, mehrfaktor*, multi faktor*, multifaktor*, einmalpasswort*, einmalpasswörter, einmalcode*, einmal code*,
        zwei stufen*, 2 stufen*, zwei fa, 2 wege*, doppelte authentifizierung, zweite stufe
    """),
    codes=_table("""
        code, codes, sicherheitscode*, bestätigungscode*, sms code*, smscode*, login code*, anmeldecode*, zahlencode*,
        verifizierungscode*, zugangscode*, authentifizierungscode*, sechsstellig*, 6 stellig*, tan, sms tan,
        bestätigungs sms
    """),
    devices=_table("""
        handy, handys, handi, smartphone, smartphones, smartfon, mobiltelefon, mobiltelefons, telefon, iphone,
        iphones, android, samsung, galaxy, pixel, xiaomi, huawei, fairphone, tablet, ipad, mobilgerät, diensthandy,
        firmenhandy, handynummer, mobilnummer, telefonnummer, rufnummer, handynr, nummer, sim, sim karte, simkarte,
        sim card, gerät, geräts, gerätes, phone, natel, handyverlust, handywechsel, gerätewechsel, handydiebstahl,
        mobile, usb key, usb stick, token
    """),
    other_things=_table("""
        passwort*, kennwort*, passwörter, pin, rechnung*, domain*, website, webseite*, homepage, seite, email, emails,
        mail, mails, daten, fotos, bilder, kontakte, ladegerät, ladekabel, hülle, kabel, vertrag*, tarif*,
        bestellung*, verbindung, leitung, hotline, support, verträge, shop, plugin, wartezeit, minuten, stunden,
        backup, passphrase, bank, banking, ticketnummer, kundennummer, rechnungsnummer, drucker, server, router, api,
        geduld, termin, festnetz, empfang, backup*, wiederherstellungscode*, notfallcode*, menü, option*, qr,
        recovery, paket, päckchen, lieferung, bestellung
    """),
    lost=_table("""
        verloren, verlor, verloen, veloren, verlohren, verlust, verlegt, gestohlen, geklaut, geklauft, entwendet,
        ist weg, sind weg, war weg, einfach weg, plötzlich weg, ist … weg, sind … weg, waren weg, weg ist, weg sind,
        app weg, authenticator weg, handy weg, yubikey weg, alles weg, codes weg, telefon weg, smartphone weg,
        schlüssel weg, weg gekommen, weggekommen, abhanden, verschwunden, verschwand, futsch, nicht mehr da,
        nicht mehr find*, find* … nicht mehr, nicht auffindbar, unauffindbar, kein* … mehr, nicht mehr habe,
        hab* … nicht mehr, besitz* … nicht mehr, nicht mehr besitze, nicht mehr vorhanden,
        nicht mehr in meinem besitz, liegen gelassen, liegen lassen, liegengelassen, liegenlassen, taxi … vergessen,
        zug … vergessen, bahn … vergessen, bus … vergessen, flugzeug … vergessen, hotel … vergessen, taxi vergessen,
        zug vergessen, bahn vergessen, bus vergessen, flugzeug vergessen, kein* zugriff auf, kein* zugriff mehr,
        kein* zugang zu, kein* zugang mehr, nicht mehr zugreifen, komm* … nicht mehr an, weggeworfen, weggeschmissen,
        entsorgt, beraubt, ausgeraubt, diebstahl, handyverlust, handydiebstahl, zugriff … verloren, entrissen,
        stehlen, klauen, verliert, verschollen, geraubt, abgezogen, eingezogen, nicht mehr angezeigt,
        nicht mehr drauf, verschlampt, verbummelt, verschwunden ist, nirgends find*, nirgendwo find*,
        find* … nirgends, find* … nirgendwo, versehentlich … gelöscht, aus versehen … gelöscht,
        versehentlich gelöscht, aus versehen gelöscht, versehentlich deinstalliert, versehentlich … deinstalliert,
        aus versehen … deinstalliert, irrtümlich gelöscht, ausversehen … gelöscht, ausversehen gelöscht, ist leer,
        ist … leer, app leer, authenticator leer, komplett leer, jetzt leer, leer ist, gibt es nicht mehr,
        existiert nicht mehr, existiert … nicht mehr, abhandengekommen, abhanden gekommen
    """),
    broken=_table("""
        kaputt, kaput, kaputtgegangen, defekt, defektes, defekter, zerstört, zerbrochen, gebrochen, beschädigt,
        ins wasser gefallen, ins klo gefallen, in die toilette gefallen, ins meer gefallen, in den see gefallen,
        in den pool gefallen, gefallen, reingefallen, runtergefallen, heruntergefallen, fallen gelassen,
        fallengelassen, wasserschaden, displayschaden, display schwarz, display ist schwarz, bildschirm schwarz,
        bildschirm ist schwarz, bildschirm bleibt schwarz, display bleibt schwarz, schwarzer bildschirm,
        schwarzes display, tot, geist aufgegeben, den geist auf, geht … nicht mehr, gehen … nicht mehr,
        ging … nicht mehr, ging … kaputt, nicht mehr geht, funktioniert … nicht mehr, funktionierte … nicht mehr,
        nicht mehr funktioniert, tut … nicht mehr, tut es nicht mehr, lässt sich nicht mehr, läßt sich nicht mehr,
        nicht mehr einschalten, nicht einschalten, startet nicht, startet … nicht mehr, reagiert nicht,
        reagiert … nicht mehr, nicht mehr an, springt nicht, nicht mehr erkannt, nicht mehr reagiert, nicht mehr lädt,
        lädt nicht mehr, mitgewaschen, gewaschen, waschmaschine, ertrunken, ersoffen, abgesoffen, überfahren,
        abgeraucht, hinüber, im eimer, im arsch, schrott, geschrottet, zerdeppert, zersprungen, gesprungen,
        zersplittert, splitter, verbrannt, geschmolzen, abgebrochen, durchgebrochen, totalschaden, zertreten,
        zerkratzt und defekt, versenkt, nass geworden, nicht mehr zu gebrauchen, unbrauchbar, gecrasht, gestorben,
        verreckt, abgestürzt und, zerlegt, zermatscht, nicht mehr nutzbar, nicht mehr lesbar, zerschmettert, versagt,
        explodiert, erkennt … nicht mehr, leuchtet nicht mehr, ohne funktion, gebrickt, auf dem grund, im see,
        im meer, im fluss, im wasser, ins wasser, in den fluss, in die ostsee, in die nordsee, reagiert … nichts mehr,
        reagiert auf nichts, verbrannte, feuer gefangen
    """),
    replaced=_table("""
        neu, neue, neues, neuen, neuem, neuer, gewechselt, wechsel, wechseln, ausgetauscht, getauscht, ersetzt,
        zurückgesetzt, zurücksetzen müssen, auf werkseinstellung*, werksreset, verkauft, umgestiegen, umstieg,
        geändert, gekündigt, neu aufgesetzt, eingeschickt, eingesendet, neu installiert, neuinstalliert, verschenkt,
        anderes, andere, abgegeben, zurückgegeben, handywechsel, gerätewechsel, abgelaufen, deaktiviert, abgeschaltet,
        ausgewechselt, in zahlung, nicht übertragen, nicht mitgekommen, nicht übernommen, nicht wiederhergestellt,
        nicht mit umgezogen, gelöscht, deinstalliert, entfernt
    """),
    locked_out=_table("""
        nicht einloggen, nicht mehr einloggen, nicht anmelden, nicht mehr anmelden, nicht rein, nicht mehr rein,
        nicht ins konto, nicht mehr ins konto, nicht in mein konto, nicht mehr in mein*, nicht mehr in das,
        nicht mehr in den, nicht in den account, nicht in meinen account, nicht in mein kundenkonto,
        nicht mehr in unser*, komm* … nicht rein, komm* … nicht mehr rein, komm* … nicht hinein, nicht mehr hinein,
        komm* … nicht mehr, komm* … nicht ins, komm* … nicht in mein*, komm* … nicht in den, komm* … nicht in das,
        komm* … nicht an mein*, komm* … nicht auf, nicht weiter, kann … nicht zugreifen, nicht mehr zugreifen,
        kein* zugang, kein* zugriff, kein login, kein* login mehr, login nicht möglich, login … nicht möglich,
        anmeldung … nicht möglich, anmelden … nicht möglich, login unmöglich, einloggen … nicht möglich,
        anmeldung unmöglich, einloggen unmöglich, nicht mehr möglich, nicht einlogen, nicht mehr einlogen,
        ausgesperrt, ausgeschlossen, gesperrt, wieder rein, wieder einloggen, wieder anmelden, wieder zugang,
        wieder zugriff, wieder in mein*, wieder an mein*, zugang wieder, zugriff wieder, wieder ins, kein* code*,
        nicht einzuloggen, nicht anzumelden, code … nicht habe, codes … nicht habe, code … nicht mehr,
        codes … nicht mehr, den ich nicht habe, nach einem code, nach dem code, nach einem 2fa code,
        nach dem 2fa code, verlangt … code, will … code, fragt … code, keine sms, sms … nicht mehr, sms nicht,
        nicht generieren, nicht mehr generieren, nicht mehr empfangen, nicht empfangen, nicht mehr erzeugen,
        nicht bestätigen, komm* … nur mit, wie … rein, scheitert, login scheitert, wie komme ich, aussperr*,
        kein einloggen, kein reinkommen, nicht reinkomme*, komme … nirgends, zugang … verloren, login … nicht mehr,
        anmeldung … nicht mehr, damit ich mich anmelden, damit ich mich einloggen, damit ich mich wieder,
        damit ich wieder, damit ich reinkomme, damit ich rein, um mich anmelden, um mich einloggen, um wieder,
        damit wir uns, in mein konto, an mein konto, in meinen account, ins kundenkonto, wie komm ich,
        wie kann ich mich einloggen, wie kann ich mich anmelden, wie logge ich, zugang zu mein*,
        zugriff auf mein konto, zugriff auf mein kundenkonto, zugriff auf meinen account, zugang zum konto,
        login geht nicht, anmelden geht nicht, einloggen geht nicht, anmeldung geht nicht, anmelden klappt nicht,
        login klappt nicht, anmeldung klappt nicht, einloggen klappt nicht, abgeschnitten, nicht reinkommen,
        nicht mehr reinkommen, komme nirgendwo rein
    """),
    reset=_table("""
        zurücksetz*, zurückzusetzen, zurückgesetzt, rücksetz*, zurück setzen, zurück zu setzen, setz* … zurück, reset,
        resets, resetten, resettet, reseten, resetet, zurücksetzung, zuruecksezten, zurücksezten, zurückstellen,
        zurückgestellt
    """),
    reset_orders=table(""),
    take_off=_table("""
        deaktivier*, entfern*, ausschalten, auszuschalten, ausgeschaltet, abschalt*, abzuschalten, abgeschaltet,
        schalt* … ab, schalt* … aus, aufheb*, aufzuheben, aufgehoben, heb* … auf, lösch*, gelöscht, zu löschen,
        rausnehmen, herausnehmen, nehm* … raus, nehm* … heraus, aussetz*, freischalt*, entsperr*, neu einrichten,
        neu einzurichten, neu einrichte, umgehen, entkoppeln, freigeben, abstellen, stell* … ab, stell* … aus,
        ausstellen, wegnehmen, abmelden, neu verknüpfen, neu aktivieren, neu koppeln, abnehmen, austragen
    """),
    take_off_orders=table(""),
    asking=_table("""
        können sie, könnten sie, könnt ihr, könntet ihr, kannst du, könntest du, würden sie, würdet ihr, brauche,
        brauchen, bräuchte, benötige, benötigen, möchte, möchten, will, wollte, beantrage, hätte gern*,
        hätte ich gern*, würde gern*, muss, müsste, müssen, müssten, kann jemand, kann mir jemand, könnte jemand,
        können wir, wäre es möglich, ist es möglich, wäre ein, helfen, hilfe, lassen, kann man, kann mir einer,
        antrag, anfrage, wünsche, geht es dass
    """),
    pleading=_table("""
        bitte, bitten, bitet, ersuche, erbitte, erbeten, dringend, beantrage, wäre nett, wäre super, wäre toll,
        wäre lieb, wäre dankbar, gebeten, benötigt, nötig, notwendig, bidde, pls, please
    """),
    questions=_table("""
        wie kann, wie setz*, wie geht, wie lange, wie funktioniert, wie man, wie ich, wie wird, wie oft, wie richte,
        wie aktivier*, wie deaktivier*, wie schalte, wie läuft, wie viel, wieviel, was kostet, was ist, was passiert,
        wann wird, wann, warum, wieso, weshalb, gibt es, ob man, ob ich, danke für, dank für, anleitung*, welche*,
        wer hat, haben sie, habt ihr, kostet, kosten, erklären, bedeutet, status, wozu, dokumentation, artikel, doku,
        kann ich selbst, kann man selbst, ist das normal, stimmt es, nur wissen, wissen ob, gern wissen, gerne wissen,
        wüsste gern, letzten monat, letzte woche, lief, verlief, hat gut, super geklappt, gut geklappt
    """),
    suppositions=_table("""
        wenn ich mein*, wenn mein*, wenn ich das, wenn ich den, wenn das, wenn der, wenn ein, wenn man, wenn jemand,
        wenn einer, wenn mir, wenn einmal, wenn kund*, sollte ich, sollte mein*, sollte das, sollte der, sollte mir,
        sollte jemand, angenommen, was passiert, was wäre, was mache ich wenn, was ist wenn, was tun wenn,
        für den fall, im falle, im fall, bei verlust, bei einem verlust, bei diebstahl, bei einem defekt, dachte,
        befürchte, würde ich, hätte ich, sobald, gesetzt den fall, fast, beinahe, ein verlorenes, ein verlorener,
        verlorene, mal angenommen, eventuell, womöglich, könnte ich mein, falls ich, falls mein*, falls das,
        falls der, falls die, falls ein*, falls man, falls jemand, falls mir, falls mal, falls wir, falls uns*,
        falls kund*
    """),
    negations=_table("""
        nicht, nie, niemals, ohne, weder, nichts, niemand, statt, anstatt, nich, ned, net, kein*
    """),
    denials=table("ich leider keine, ich keine, ich leider nicht, ich nicht, leider nicht, leider keine"),
    idioms=_table("""
        keine ahnung, weiß nicht, weiß leider nicht, nicht mehr weiter, nicht nur, kein backup, keine backup*,
        kein back up, keine sicherung*, keine wiederherstellung*, kein ersatz*, nichts geht, geht nichts, nichts mehr,
        kein problem, noch nicht, nicht gesichert, nicht übertragen, nicht umgezogen, nicht notiert,
        nicht aufgeschrieben, nicht daran gedacht, nicht vorher, ohne ihn, ohne das, ohne die codes, ohne code,
        ohne den code, ohne handy, ohne app, keine möglichkeit, keine recovery*, keine notfall*, kein plan,
        nicht so technisch, nicht klar, hilft nicht, klappt nicht, geht nicht
    """),
    but=_table("aber, jedoch, allerdings, leider, nur dass, doch"),
    because=_table("weil, da, denn, deshalb, daher, deswegen, und, sodass"),
    mine=_table("""
        mein, meine, meinen, meinem, meiner, meines, unser, unsere, unseren, unserem, unserer, mir, mir das, mir mein
    """),
    other_people=_table("""
        mein mann, meine frau, meiner frau, meines mannes, meinem mann, ehemann, ehefrau, kollege*, kollegin*,
        mitarbeiter*, kunde, kunden, kundin*, chef, chefin, chefs, freund, freundin, freunde, freundes, sohn, sohnes,
        tochter, bruder, bruders, schwester, vater, vaters, mutter, mama, papa, eltern, oma, opa, partner, partnerin,
        mandant*, klient*, schüler*, student*, mitglied*, benutzer*, nutzer*, user, users, deren, dessen,
        jemand anders, jemand anderes, nachbar*, azubi, praktikant*, assistentin, assistent, bekannte*, herr, herrn,
        verein, leute, geschäftsführer*, buchhalterin, sein handy, seine handynummer, seinen yubikey, ihr handy,
        ihren yubikey
    """),
    doubts=_table("""
        wieder gefunden, wiedergefunden, wieder aufgetaucht, wieder da, hat sich erledigt, hat sich schon erledigt,
        hat sich bereits erledigt, erledigt, geht wieder, funktioniert wieder, läuft wieder, klappt wieder,
        geht jetzt wieder, funktioniert jetzt wieder, alles wieder, alles gut, bin wieder drin, wieder drin,
        konnte mich wieder, kann mich wieder, wieder eingeloggt, problem gelöst, ist gelöst, selbst gelöst,
        habe es geschafft, doch noch geschafft, nicht mehr nötig, nicht mehr notwendig, vergessen sie, vergesst,
        ignorieren, gegenstandslos, bitte stornieren, anfrage zurück, ziehe … zurück, noch mein altes,
        habe das alte noch, altes handy noch, alte handy noch, das alte habe ich noch, habe noch das, hab noch das,
        habe noch mein*, das alte funktioniert noch, funktioniert noch, habe noch zugriff, liegt noch,
        backup codes habe, habe backup codes, habe die backup codes, habe noch backup codes, backup code eingeloggt,
        wiederherstellungscode eingeloggt, mit einem backup code, habe wiederherstellungscodes, nicht von mir,
        nicht angefordert, nicht beantragt, war ich nicht, nicht ich, im auftrag, für meinen kunden, für einen kunden,
        für unseren kunden, für meine frau, für meinen mann, für meinen kollegen, für meine kollegin,
        für einen kollegen, für einen mitarbeiter, für unsere mitarbeiterin, für unseren mitarbeiter,
        für meine mutter, für meinen vater, für einen freund, für meinen chef, hat sein handy, hat ihr handy,
        hat ihr telefon, hat sein telefon, sein konto, ihrem konto, seinem konto, sein account, seinen account,
        seines kontos, seine 2fa, ihr konto wurde, ihr konto wird, ihr account wurde, ihr zugang wird, ihr postfach,
        ihr passwort läuft, ihre 2fa, klicken sie, klicke hier, hier klicken, auf den link, bestätigen sie,
        verifizieren sie, sehr geehrter kunde, lieber kunde, werter kunde, innerhalb von 24, innerhalb von 48,
        newsletter, abmelden vom, abbestellen, passwort vergessen, passwort zurück*, passwort zurückzusetzen,
        kennwort vergessen, kennwort zurück*, passwort neu, neues passwort, neues kennwort, passwort verloren,
        falsches passwort, passwort falsch, passwort ist falsch, passwort stimmt nicht, passwort wird nicht,
        passwort nicht mehr, passwort reset, setz* … passwort, setz* … kennwort, passwort ändern, wordpress, webmail,
        ftp, outlook, mailprogramm, thunderbird, imap, smtp, ssh, facebook, instagram, paypal, whatsapp,
        online banking, onlinebanking, meine bank, domaintransfer, auth code, rückerstattung, sonderangebot, rabatt,
        angebot für sie, wir kaufen, wir reparieren, wir verkaufen, wir bieten, seo, ranking, gewonnen, kryptowährung,
        bitcoin, gehackt, hacker, phishing, betrug, betrüger, sind sie das, ist die mail echt, ist die echt,
        ist das echt, kommt die von ihnen, ist diese mail, ist diese e mail, verdächtig, suche noch, noch suchen,
        noch am suchen, suche weiter, melde mich morgen, vielleicht taucht, wahrscheinlich verloren,
        vielleicht verloren, vermutlich verloren, möglicherweise verloren, bin nicht sicher ob, nicht sicher ob,
        bin mir nicht sicher, glaube ich habe, glaube dass ich, in der reparatur, zur reparatur, repariert, akku leer,
        akku ist leer, zu hause vergessen, daheim vergessen, zuhause vergessen, zu hause liegen, zuhause liegen,
        im büro vergessen, handy vergessen, ladekabel vergessen, angerufen und gesagt, hat mich angerufen,
        hat mich jemand angerufen, sagte mir am telefon, wunsch für die zukunft, verbesserungsvorschlag,
        feature wunsch, wäre schön wenn, interview, nur ein test, test mail, testmail, ohne mein zutun,
        ohne mein wissen, ohne zu fragen, ohne rückfrage, hat jemand meine, zurückgesetzt wurde, wurde zurückgesetzt,
        wurde gestern zurückgesetzt, hat geklappt, hat funktioniert, empfehlen, welches handy, welchen yubikey,
        kündigen, kündige, kündigung, einer von zwei, einer meiner, einrichten will, schneller geworden, umfrage,
        bewerbung, exmann, exfrau, ex mann, ex frau, ex freund, verstorben*, bitte nicht, konto von herrn,
        konto von frau, konto meiner, konto meines, account meiner, account meines, 2fa meiner frau, 2fa meines,
        handy gefunden, yubikey gefunden, habe es gefunden, hab es gefunden, habe ihn gefunden, doch gefunden,
        hat sich gefunden, handy wieder, 2fa von herrn, 2fa von frau, hat seinen yubikey, hat ihren yubikey,
        hat seinen schlüssel, hat ihren schlüssel, hat seinen authenticator, hat ihren authenticator, google konto,
        microsoft konto, apple konto, richtlinie*, wie gehen sie mit, setzen sie ihre, mit meinem zweiten,
        mit dem zweiten, mit dem ersatz*, mit meinem ersatz*, habe noch einen, habe einen zweiten, habe einen ersatz*,
        habe noch den zweiten, habe noch den anderen, mit dem anderen yubikey, mit meinem anderen,
        zweite yubikey geht, zweite geht noch, geld zurück, erstattung, erstatten, gekauft habe ich,
        bei ihnen … gekauft, bei euch … gekauft, ihrem shop, eurem shop, umtausch, umtauschen, reklamation,
        reklamieren, handy ist in ordnung, handy funktioniert, handy ist da, habe mein handy noch,
        handy habe ich noch, beim registrar, zum registrar, mein registrar
    """),
    contact_changes=_table("""
        neue e mail, neue email, neue mail, neue emailadresse, neue mailadresse, neuen e mail, neuen email,
        neuen mail, neue adresse, neuen adresse, andere e mail, anderen e mail, andere email, anderen email,
        andere mailadresse, andere adresse, e mail … ändern, email … ändern, mailadresse … ändern,
        emailadresse … ändern, adresse … ändern, adresse ändern, nummer … ändern, nummer ändern,
        telefonnummer … ändern, handynummer … ändern, mobilnummer … ändern, ändern sie … nummer, ändern sie … e mail,
        ändern sie … email, ändern sie … adresse, ändern sie … mailadresse, ändern sie … telefonnummer,
        ändern sie … handynummer, ändern sie … passphrase, änder* … mailadresse, änder* … handynummer,
        auf meine neue nummer, an meine neue nummer, meine neue nummer lautet, neue nummer lautet, neue nummer ist,
        neue handynummer lautet, neue handynummer ist, an diese nummer, auf diese nummer, an diese adresse,
        auf diese adresse, an diese e mail, an diese email, an diese mailadresse, an die neue, auf die neue nummer,
        an folgende, auf folgende, hinterleg* … neue, trag* … ein, hinterlegen sie, aktualisier* … nummer,
        aktualisier* … adresse, aktualisier* … email, aktualisier* … e mail, aktualisier* … telefonnummer,
        aktualisier* … kontakt*, schick* … code an, senden sie … an, schicken sie … an, senden … code an,
        sende* … code … an, rufen sie … an unter, rufen sie mich unter, anruf unter, erreichbar unter,
        passphrase … ändern, passphrase vergessen, neue passphrase, passphrase … zurück*, statt sms, statt per sms,
        statt e mail, statt per e mail, statt per mail, statt per post, lieber per sms, lieber per mail,
        lieber per post, lieber per e mail, per brief statt, adressänderung, nummernänderung, private e mail,
        private mail, private email, privatadresse, privaten e mail, privaten mail, meine neue handynummer ist,
        meine neue handynummer lautet, an eine andere nummer, auf eine andere nummer
    """),
    accounts=_table("""
        konto, kontonummer, konto nr, konto nummer, kundennummer, kunden nr, kundennr, kd nr, kdnr, kunden nummer,
        account, account nr, account nummer, kundenkonto, kunde, vertragsnummer, vertrags nr, kunden id, kundenid,
        benutzer id, account id, vertrag nr
    """),
    automatic_subjects=_table("""
        automatische antwort, automatische rückantwort, abwesenheit*, abwesenheitsnotiz, autoreply, auto reply,
        autoantwort, auto antwort, out of office, nicht im büro, urlaub bis, unzustellbar, nicht zustellbar,
        zustellung fehlgeschlagen, eingangsbestätigung, empfangsbestätigung, automatische empfangsbestätigung,
        ihre anfrage ist eingegangen, ich bin im urlaub, automatisch generiert*
    """),
    automatic_openings=_table("""
        automatische antwort, automatisch generiert*, automatisch erstellt*, automatisch erzeugt*, bin nicht im büro,
        bin derzeit nicht im büro, bin zurzeit nicht, bin zur zeit nicht, bin derzeit nicht, bin aktuell nicht,
        nicht im büro, nicht im haus, bis zum … abwesend, bin … abwesend, abwesend bis, im urlaub bis, im urlaub und,
        im urlaub vom, bin … im urlaub, befinde mich … urlaub, urlaub bis, in elternzeit, in mutterschutz,
        erst wieder ab, wieder erreichbar, bin wieder ab, ihre nachricht ist eingegangen, ihre e mail ist eingegangen,
        ihre anfrage ist eingegangen, haben ihre nachricht erhalten, haben ihre e mail erhalten,
        haben ihre anfrage erhalten, wird nicht weitergeleitet, nicht auf diese e mail,
        nicht mehr für das unternehmen, nicht mehr im unternehmen, nach meiner rückkehr,
        konnte nicht zugestellt werden, ihre mail wird nicht
    """),
    apart=10,
)
