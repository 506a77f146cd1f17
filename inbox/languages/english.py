"""English."""

from inbox.phrases import Phrases, table

_UNABLE = (
    "can not", "can no longer", "could not", "can not even", "can not seem to", "unable to", "not able to", "cant not",
    "no longer able to", "no way to", "will not let me", "does not let me", "did not let me", "not letting me",
    "impossible to", "not possible to",
)  # fmt: skip
_ENTER = (
    "log in", "login", "log on", "log into", "logon", "sign in", "signin", "sign on", "sign into", "get in", "get into",
    "get back in", "get back into", "get past", "access", "authenticate", "enter the code", "generate", "log back in",
    "log back into", "reach my account", "enter my account", "open my account", "get the code", "get the codes",
    "get a code", "get codes", "get any codes", "receive the code", "receive the codes", "receive codes",
    "receive my codes", "get my codes", "get my code", "provide the code", "read the code", "read the codes",
    "see the code", "see the codes", "complete the login", "complete the sign in", "pass the", "finish logging in",
    "get to my account", "use my account", "approve the login", "approve the sign in", "receive the sms",
    "receive the text", "receive the texts", "receive text messages", "get the sms", "get the text", "get the texts",
    "get the 2fa code", "get the 2fa codes", "receive the 2fa code", "produce the code", "produce codes", "verify",
    "receive sms", "receive texts", "get the verification code", "receive the verification code", "get in anymore",
    "get inside",
)  # fmt: skip

ENGLISH = Phrases(
    name="English",
    common=table("""
        the, and, of, to, is, was, are, it, that, this, for, on, with, at, from, have, has, had, you, we, i, me, he,
        she, they, will, would, there, so, what, when, how, hello, hi, dear, team, support, thanks, thank, regards,
        am, been, any, some, today, yesterday, morning, only, just, old, anymore, now, since, after, before, did,
        does, do
    """),
    factors=table("""
        authenticator, authenticators, authentication app, authenticater, authentificator, autenticator, authy,
        2fa app, otp app, mfa app, totp app, authentication application, auth app, yubikey, yubikeys, yubi key,
        yubi keys, yubico key, security key, security keys, hardware key, hardware token, security token, passkey,
        passkeys, 2fa key, 2fa device, 2fa phone, mfa device, mfa token, second factor, 2nd factor, 2fa token,
        otp token, token generator, code generator, titan key, fido key, fido2 key, nitrokey, u2f key, mfa phone,
        2fa app entry, two factor app, two factor device, two step app, verification app, 2fa dongle, security dongle,
        hardware security key, key fob, authentication device, authentication key, 2fa method
    """),
    protections=table("""
        2fa, 2 fa, tfa, mfa, m f a, 2 factor, 2factor, two factor, twofactor, multi factor, multifactor, 2 step,
        2step, two step, twostep, second step, otp, totp, 2sv, one time code, one time codes, one time password,
        one time passwords, two fa, two factors, two way authentication, two stage, dual factor, twofa, double factor,
        two factor authentification, second authentication, two steps
    """),
    codes=table("""
        codes, code from, code it, code anymore, verification code, verification text, login code, sms code,
        sms codes, security code, confirmation code, 6 digit code, six digit code, digit code, the code, code prompt,
        a code, its code, text codes, authentication code, sign in code, access code, verification codes, code that,
        text code
    """),
    devices=table("""
        phone, phones, cellphone, cell, mobile, smartphone, smart phone, handset, iphone, android, pixel, fone, phne,
        galaxy, samsung, tablet, ipad, sim, sim card, phone mobile number, telephone, cell number, fairphone, oneplus,
        xiaomi, moblie, mobil, my number, old number, new number, number, huawei, nokia, motorola, device, usb key,
        token
    """),
    other_things=table("""
        password, passwords, passphrase, pin, invoice, invoices, domain, website, site, email, emails, mails, data,
        files, photos, contacts, charger, case, cable, bill, contract, order, signal, line, support, page, phones,
        minutes, hours, api, connection, cover, insurance, app is slow, call, calls, conversation, shop, store, plan,
        reception, tickets, invoice number, order number, ticket number, tracking number, repair, backup, gallery,
        printer, server, router, wallet, bank, banking, menu, option, options, section, recovery, emergency, qr,
        wizard, stand, parcel, package, shipment, delivery, settings page, settings screen, mobile app, phone app,
        mobile version, mobile site, mobile menu, mobile view
    """),
    lost=table("""
        lost, loss, lsot, loss of, misplaced, mislaid, stolen, stole, gone, missing, disappeared, vanished,
        left behind, lost access to, no longer have, no longer have access to, do not have access to,
        have no access to, do not have my, can not find my, wiped, nicked, pinched, snatched, robbed, mugged,
        pickpocketed, taken from me, no longer own, no longer possess, no longer in possession, have not got my,
        not have access to, nowhere to be found, can not locate my, unable to find my, unable to locate my,
        no longer got, left … taxi, left … cab, left … uber, left … train, left … bus, left … plane, left … hotel,
        left … airport, left … tram, left … abroad, got rid of, threw away, thrown away, threw out, tossed,
        accidentally removed, accidentally deleted, went missing, is lost, empty, lost all, took my, washed away,
        fell overboard, recycled, confiscated, seized, no longer shows, does not show … any more,
        does not show … anymore, no longer there, does not exist any more, no longer exists, taken off me,
        half inched, went overboard, not on my new phone, went with it, was taken, were taken, got taken,
        accident … deleted, accident deleted, deleted … by accident, deleted … by mistake, deleted … accidentally,
        mistakenly deleted, accidentally … deleted, accidentally erased, accidentally uninstalled, accidentally wiped,
        mistakenly removed, removed … by accident, removed … by mistake, deleted itself, erased … by mistake,
        uninstalled … by mistake, stupidly deleted, deleted … without
    """),
    broken=table("""
        broke, broken, brok, broked, smashed, shattered, snapped, dead, died, destroyed, damaged, ruined, drowned,
        soaked, bricked, fell in, fell into, fell out, dropped, at the bottom of, through the wash, stopped working,
        no longer works, no longer work, no longer working, does not work any more, does not work anymore,
        not working any more, not working anymore, not work anymore, not work any more, no longer turns on,
        no longer turn on, will not turn on, does not turn on, not turning on, will not start, does not start,
        will not boot, does not boot, will not switch on, does not switch on, no longer recognised,
        no longer recognized, no longer detected, will not charge, does not charge, no longer charges, fried, bust,
        busted, packed up, conked out, gave up the ghost, run over, ran over, flushed, water damage, water damaged,
        screen is black, screen went black, black screen, screen is dead, not responding, stopped responding,
        does not respond, malfunctioned, malfunctioning, malfunction, defective, faulty, crushed, kaput, kaputt, bent,
        melted, burned, burnt, chewed, ate my, went swimming, swim, washing machine, washed, in the toilet,
        in the sea, in the pool, in the lake, in the river, sat on, stepped on, out of order, not usable, unusable,
        is toast, beyond repair, short circuited, does not light up, will not unlock, does not react, blew up,
        exploded, totalled, wrecked, not functioning, does not function, quit working, quit on me,
        stuck in a boot loop, boot loop, can not access my, unable to access my, no longer access my
    """),
    replaced=table("""
        new, replaced, replacement, changed, switched, switched to, upgraded, upgraded to, traded in, sold, gave away,
        factory reset, factory resetted, reinstalled, restored, reset my phone, reset the phone, resetted, changing,
        swapped, got another, different, another, bought, exchanged, upgrading, upgrade, cancelled, expired,
        deactivated, ported, changing to, returned, handed back, sent in, moved to, did not come back, came back,
        did not transfer, did not transfer over, were not transferred, was not transferred, did not come across,
        did not carry over, did not migrate, kept by, erased, deleted, uninstalled, removed my, removed the, cleared,
        reformatted, formatted, wiped, cracked, scratched, got deleted, was deleted, got erased, was erased
    """),
    locked_out=table(
        """
        locked out, locked me out, shut out, no access to my account, get back in, get back into, regain access,
        restore access, restore my access, recover access, no way in, locked myself out, lock out, lockout, stuck at,
        stuck on, regain entry, recover my account, lost access to my account, lost access to the account,
        lost access to our account, lost access to my, not have the code, do not have a code, code i do not have,
        code that i do not have, codes i do not have, code i can not, code that i can not, codes that i can not,
        no longer receive, no longer get, not get codes, not get the codes, no code, no codes, log in fails,
        can not log, no longer log in, no longer sign in, no longer access, unable to log, unable to sign,
        get access back, get access again, account recovery, stops me from logging in, asks for a code,
        asks for the code, asks me for a code, asks me for the code, wants a code, wants the code, asking for a code,
        asking for the code, asks for the 2fa, keeps asking for a code, keeps asking for the code, asks for my code,
        asks for my 2fa, asks for my authenticator, asks for 2fa, asking me for a code, ask for authenticator,
        prompts me for, prompted for, access my account, log in without, get in without, have no code,
        not getting the code, not getting the codes, not receiving the code, not receiving codes, let me back in,
        let me in, regaining access, restoring access, access to my account again, so i can sign in, so i can log in,
        so that i can sign in, so that i can log in, so i can get in, so that i can get in, so i can log back in,
        so that i can log back in, so i can login, to be able to log in, to be able to sign in, so i can get back,
        so i can access, so that i can access, need to get into, need access to, need to access, get into my account,
        need to log in, must log in, have to log in, how do i log in, how can i log in, how do i get in,
        how can i access, how do i access
    """,
        *(f"{unable} {enter}" for unable in _UNABLE for enter in _ENTER),
    ),
    reset=table("""
        reset, re set, resetting, resetted, rest my, clear out, re enroll, re enrol, reenroll, re register,
        reregister, start over with, set up again, set up anew, start fresh
    """),
    reset_orders=table(""),
    take_off=table("""
        remove, removed, removal, removing, disable, disabled, disabling, deactivate, deactivated, deactivation,
        de activate, turn off, turned off, turn … off, switch off, switched off, switch … off, take off, take … off,
        clear, cleared, delete, unlink, lift, bypass, drop, unpair, detach, unregister, disconnect, get rid of,
        revoke, unenroll, cancel my 2fa
    """),
    take_off_orders=table(""),
    asking=table("""
        pls, plz, kindly, can you, could you, would you, will you, can someone, could someone, can somebody,
        can anyone, could anyone, can i get, can i have, could i get, could i have, may i have, need, needs, want,
        would like, must, have to, request, requesting, require, asking, help, can u, could u, would it be possible,
        is it possible to, are you able to, hoping you, wondering if you, able to, appreciate, grateful, ask you to,
        ask for, looking for, looking to, hoping to, apply for, if you could, let me have, how about, get my, get the
    """),
    pleading=table("""
        please, pls, plz, pleas, kindly, thanks in advance, asap, if possible, needed, required, requested
    """),
    questions=table("""
        how do, how does, how can, how to, how long, how much, how often, what is, what does, what are, do you,
        does your, is there, is it, are there, when will, why do, why does, why is, why was, why did, which,
        thank you for the, thank you for your, thanks for the, thanks for your, thanks for resetting,
        thank you for resetting, status of, still waiting, guide, tutorial, article, explain, who reset, did you,
        have you, does it, what happens, can i reset, can i still, whether, curious, where can i, where do i,
        where is, documentation, instructions on, cost, costs, like to know, want to know, wanted to know, if i ever,
        by post, last month, last week, last year, went well, went fine, went smoothly, was quick, went through,
        worked fine, worked well, was done, has been done, took only, love to know
    """),
    suppositions=table("""
        if i, if my, if we, if our, if a, if an, if the, if one, if it, if someone, if somebody, if you lose, in case,
        in the event, what if, what happens, what would happen, should i, should my, suppose, supposing, imagine,
        when i lose, whenever, once i, before i, worried that, afraid that, thought i, thought my, unless, a lost,
        a stolen, a broken, a dead, any lost, lost or stolen, one of, if ever, if and when, hypothetically, going to,
        planning to, plan to, about to, lost phones, if customers, if users, almost, nearly, someone who, people who,
        scared, risk of, what to do when, supposed
    """),
    negations=table("not, never, no, nor, neither, without, nothing, nobody, rather than, instead of, none, did not"),
    denials=table(""),
    idioms=table("""
        no idea, do not know, not sure, no longer, not even, no matter, why not, do not worry, no problem,
        not working, do not understand, not only, could not believe, can not believe, no luck, no success,
        can not do anything, nothing works, nothing helps, not on file, no backup, no recovery, no backup codes,
        no recovery codes, did not save, did not keep, do not have backup, do not have the backup,
        do not have the recovery, do not have any backup, do not have recovery, do not have any recovery,
        not have any, not have a backup, did not write down, never saved, never wrote down, never printed,
        not printed, did not print, not saved, did not back up, not backed up, never backed up, did not transfer,
        not transferred
    """),
    but=table("but, however, unfortunately, although, though, sadly"),
    because=table("because, as, since, so, cause, cuz, bc, therefore, and"),
    mine=table("my, our, mine"),
    other_people=table("""
        his, her, their, he, she, they, colleague, colleagues, coworker, co worker, client, clients, employee,
        employees, boss, wife, husband, friend, son, daughter, brother, sister, father, mother, them, users, user,
        customer, customers, him, dad, mum, mom, partner, tenant, manager, assistant, neighbour, neighbor, roommate,
        guest, member, staff, girlfriend, boyfriend, uncle, aunt, grandmother, grandfather, someone else,
        somebody else, everyone, everybody, people, teammate, contractor, student, students, intern, ceo, accountant,
        secretary, developer
    """),
    doubts=table("""
        found my, found it, found the, has been found, was found, got it back, got my phone back, turned up,
        works again, working again, works now, working now, still works, still work, works fine, work fine, all good,
        all is well, everything works, never mind, nevermind, no longer need, no longer needed, no need,
        not necessary anymore, ignore my, ignore this, ignore the, disregard, cancel my request, cancel the,
        cancel my ticket, already fixed, already solved, solved it, problem is solved, problem solved,
        issue is solved, has been solved, has been resolved, resolved itself, already resolved, already got in,
        am back in, can log in again, could log in again, managed to log in, logged in again, managed to get in,
        sorted it, sorted now, is sorted, still have my phone, still have the phone, still have my yubikey,
        still have my authenticator, still have access to my, still have the old phone, still have my old phone,
        old one is still here, old phone still works, have both phones, have backup codes, have recovery codes,
        have my backup codes, have my recovery codes, used a backup code, used a recovery code, with a recovery code,
        with a backup code, was not me, did not request, did not ask, on behalf of, for my client, for my colleague,
        for my wife, for my husband, for our client, for our customer, for a friend, for my boss, his account,
        her account, their account, for him, for her, for them, for another user, for our employee, unsubscribe,
        click here, click the link, click on the link, click below, click this link, verify your account,
        verify your identity, verify your two, verify your 2fa, confirm your, your account has been,
        your account will be, your 2fa has, your mailbox will, your password will, dear customer, dear user,
        valued customer, reset page, reset link, reset email, reset form, reset process, reset policy, reset code,
        reset fee, called me, told me to, wordpress, webmail, ftp, facebook, instagram, gmail account, my bank,
        banking, paypal, whatsapp, apple id, outlook, mail app, email app, mail client, imap, smtp, ssh, vpn, my game,
        bitcoin, crypto, seo, we buy, we offer, we sell, we repair, our offer, special offer, discount, best prices,
        free shipping, sell your, press article, interview, for a school project, feature request, would be great to,
        would be great if, i am writing an article, please do not, lawsuit, forgot my password, forgot password,
        forgotten my password, forgot the password, password reset, reset my password, reset the password,
        new password, lost my password, lost the password, wrong password, password is wrong,
        password is not accepted, forgotten password, forgotten the password, change my password, app password,
        just testing, this is a test, without asking me, without my consent, somebody reset my, someone has reset,
        somebody has reset, who reset, has been reset by, i reset my 2fa, hacked, hacker, phishing,
        is this mail from you, is this you, is this email from you, is it really you, suspicious, scam, legit,
        still searching, still looking for, will look again, will write again, might be in, may be in,
        must be somewhere, might have lost, may have lost, might have left, maybe i lost, perhaps i lost,
        i think i lost, think i left, not sure whether, not sure if, will be repaired, being repaired, gets repaired,
        out of battery, battery is empty, battery is flat, battery died, is at home, left … at home, forgot my phone,
        forgot my yubikey, phone support, your phone, one of my two, one of our, how do i add, transfer my domain,
        to transfer the domain, the sms 2fa does not, cheaper, pricing, rankings, cancel my hosting,
        delete my account, close my account, status of my, again tomorrow, fixed it, found a way,
        the other day it worked, for an ex, police report, subpoena, urgent wire, gift card, gift cards,
        left … at the office, is charging, am able to log in again, was able to log in again, gmail, hotmail,
        google account, microsoft account, apple account, amazon, ebay, steam, discord, coinbase, binance, twitter,
        tiktok, linkedin, snapchat, netflix, dropbox, roblox, epic games, reset your, your policy, policy on,
        policies on, have a backup key, have a spare, have my spare, have a backup phone, with my backup,
        with my spare, using my backup, using my spare, with my second, using my second, with my other,
        using my other, have another yubikey, have another key, second yubikey works, other yubikey works,
        spare works, still use my second, refund, money back, your shop, your store, from your shop, arrived broken,
        arrived defective, arrived damaged, bought … from you, bought … through you, return it, exchange it,
        phone is fine, phone works, phone is here, did not do that, did not do this, was not done by me,
        i have my phone, phone is with me, have both, my registrar, the registrar, domain registrar, other registrar,
        a registrar
    """),
    contact_changes=table("""
        change my email, change my e mail, change the email, change the e mail, change my address, change my phone,
        change my number, change my mobile, change the number, change the phone number, change the mobile number,
        change the phone, change my contact, change the contact, change my passphrase, change my reset,
        change my preference, change the preference, change the address, changing my email, update my email,
        update my e mail, update my phone, update my number, update my mobile, update my contact, update my address,
        update the phone, update the number, update the email, new email, new e mail, different email,
        different e mail, another email, another e mail, different address, another address, to this number,
        to this new number, to this email, to this e mail, to this address, to my new number, to my new phone,
        to my new mobile, to my new address, to my work email, to my private email, to my personal email,
        to my other email, to the new number, to the new address, use this number, use this email, use this address,
        use my new number, use the number, replace my phone number, replace my email, set my email, set my phone,
        reset my passphrase, forgot my passphrase, lost my passphrase, forgotten my passphrase, reset the passphrase,
        remove the passphrase, new passphrase, change of address, register my new number, add my new number,
        add this number, send it to my, send the code to, send me the code to, send the link to, text me at,
        call me at, call me on, text it to, my new number is, new number is, my new phone number is, reach me at,
        new phone number is, instead of sms, instead of email, instead of letter, by letter instead, by sms instead
    """),
    accounts=table("""
        account, account no, account number, account id, account nr, customer, customer no, customer number,
        customer id, client no, client number, client id, user id, contract no, contract number, customer account,
        account ref, account reference, account is, number is, acct, acct no
    """),
    automatic_subjects=table("""
        automatic reply, auto reply, autoreply, automated reply, automatic response, auto response, autoresponse,
        out of office, out of the office, ooo, vacation reply, vacation message, away from office, absence,
        undeliverable, undelivered mail, mail delivery failed, delivery status notification, failure notice,
        delivery failure, returned mail, message not delivered, we have received your, your request has been received,
        ticket received, automated response, away message, on annual leave, i am out of
    """),
    automatic_openings=table("""
        out of the office until, out of office until, out of the office from, out of the office and,
        out of the office, currently out of, this is an automatic, this is an automated, automatically generated,
        automatic reply, automated reply, automated response, auto reply, autoreply, i am on vacation until,
        i am on holiday until, on leave until, on annual leave, on parental leave, on maternity leave,
        away from my desk, limited access to email, limited access to my email, no access to email,
        will respond when i return, will reply when i return, will get back to you when i return, upon my return,
        your message has been received, we have received your message, we have received your email,
        we have received your request, do not reply to this, your ticket has been created, has been assigned ticket,
        no longer work here, no longer works here, delivery has failed, could not be delivered,
        no longer with the company, away until, back in the office
    """),
    apart=8,
)
