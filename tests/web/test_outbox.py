"""The Outbox page: a demo's messages as their recipients would have got them, for this machine's eyes only."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from foundation import clock
from foundation.settings import Mode
from models.cases import Actor, CaseState, CodeFor
from notifiers import outbox
from notifiers.phrases import long_time, spoken_code
from notifiers.sandbox import Sandbox
from policy.vocabulary import Change, Channel, ContactKind, MessageKind
from tasks.deliver import send_if_due
from tasks.recall import recall_if_due
from tests.installations import (
    DAY,
    PASSPHRASE,
    code_parcel,
    deliver_all,
    email_account,
    letter_account,
    make_installation,
    sms_account,
)
from tests.notifiers.samples import message, permit
from tests.web.browser import browser, heading_of, text_of
from web import guards
from workflows.account_codes import send
from workflows.accounts import account_id_of, lock_account
from workflows.closing import cancel, stop_token
from workflows.granting import enrolment_token
from workflows.installation import Installation
from workflows.opening import open_case
from workflows.parcels import Parcel
from workflows.proving import prove_link, prove_passphrase
from workflows.telling import tell_change
from workflows.views import case_with_history

SENDER = "reset@hosting.example"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(f"sqlite:///{tmp_path / 'keyturn.db'}", tmp_path, mode="demo")
    yield made
    made.database.dispose()


@pytest.fixture
def client(demo: Installation) -> Iterator[TestClient]:
    with browser(demo) as made:
        yield made


def put(demo: Installation, parcel: Parcel) -> str:
    """Has the sandbox write what this parcel says; answers with the receipt id."""
    links = {
        "link": f"{demo.settings.public_url}/confirm/{parcel.reference}/{parcel.token}",
        "cancel_link": f"{demo.settings.public_url}/stop/{parcel.reference}/{parcel.stop_token}",
    }
    sent = message(
        parcel.kind,
        parcel.channel,
        id=parcel.message_id,
        reference=parcel.reference,
        code=parcel.code,
        valid_until=parcel.valid_until,
        **links,
    )
    return Sandbox(parcel.channel, demo.settings.outbox_path, SENDER).send(sent, parcel.permit).provider_id


def code_sent(demo: Installation, account: str) -> tuple[Parcel, str]:
    """Opens a case for the account; the message with its code, and the receipt for it."""
    now = clock.now()
    parcel = code_parcel(deliver_all(demo, open_case(demo, account, actor=Actor.AGENT, now=now).owed, now))
    return parcel, put(demo, parcel)


def called(demo: Installation) -> tuple[Parcel, str]:
    return code_sent(demo, sms_account(demo, preference="voice"))


def notices(demo: Installation, number: int) -> list[str]:
    """Writes mails that belong to no case; their receipt ids, the oldest first."""
    sandbox, to = (
        Sandbox(Channel.EMAIL, demo.settings.outbox_path, SENDER),
        permit(Channel.EMAIL, until=clock.now() + DAY),
    )
    return [sandbox.send(message(MessageKind.INBOX_ANSWER), to).provider_id for _ in range(number)]


def article(answer: Response, receipt_id: str) -> str:
    """One message on the page."""
    (found,) = re.findall(rf'(?s)<article id="{receipt_id}">.*?</article>', answer.text)
    return str(found)


def listed(answer: Response) -> list[str]:
    return re.findall(r'<article id="([0-9a-f]+)">', answer.text)


# Who may see it.


PATHS = ["/outbox", "/outbox/{receipt}", "/outbox/{receipt}/9"]


def everything(client: TestClient, receipt: str, host: str | None = None) -> list[int]:
    headers = {} if host is None else {"Host": host}
    methods = ("GET", "GET", "POST")
    return [
        client.request(method, path.format(receipt=receipt), headers=headers).status_code
        for method, path in zip(methods, PATHS, strict=True)
    ]


def test_a_live_installation_has_no_such_page(tmp_path: Path) -> None:
    live = make_installation(f"sqlite:///{tmp_path / 'keyturn.db'}", tmp_path)
    _, receipt = called(live)
    with browser(live) as client:
        assert everything(client, receipt) == [404, 404, 404]
    live.database.dispose()


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.5", "2001:db8::7", "::ffff:192.0.2.7", "testclient"])
def test_another_machine_is_told_that_there_is_no_such_page(demo: Installation, peer: str) -> None:
    parcel, receipt = called(demo)
    with browser(demo, peer) as client:
        assert everything(client, receipt) == [404, 404, 404]
        assert heading_of(client.get("/outbox")) == "There is no such page"
    assert state_of(demo, parcel) is CaseState.REQUESTED


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_let_in_by_any_of_its_loopback_addresses(demo: Installation, peer: str) -> None:
    with browser(demo, peer) as client:
        assert client.get("/outbox").status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:8420",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "127.0.0.2",
        "",
    ],
)
def test_a_name_that_somebody_else_leads_here_opens_nothing(demo: Installation, client: TestClient, host: str) -> None:
    parcel, receipt = called(demo)
    assert everything(client, receipt, host) == [404, 404, 404]
    assert state_of(demo, parcel) is CaseState.REQUESTED


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost", "LOCALHOST:9000", "[::1]:8420", "[::1]"])
def test_loopback_may_be_named_in_each_way(client: TestClient, host: str) -> None:
    assert client.get("/outbox", headers={"Host": host}).status_code == 200


def test_only_the_frames_may_style_themselves_and_nothing_runs_in_them(demo: Installation, client: TestClient) -> None:
    _, receipt = code_sent(demo, email_account(demo))
    policy = client.get("/outbox").headers["content-security-policy"]
    assert policy == f"{guards.POLICY}; frame-src 'self'"
    framed = client.get(f"/outbox/{receipt}").headers["content-security-policy"].split("; ")
    assert framed[0].startswith("sandbox ")
    assert "allow-scripts" not in framed[0]
    assert "allow-same-origin" not in framed[0]
    assert {"default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} <= set(framed)
    assert client.get("/").headers["content-security-policy"] == guards.POLICY


# What it shows.


def test_an_empty_outbox_says_how_to_fill_it(demo: Installation, client: TestClient) -> None:
    answer = client.get("/outbox")
    assert "Nothing leaves this machine." in text_of(answer)
    assert "./run inbox add examples/lost-phone.eml" in text_of(answer)
    assert f"KEYTURN_DATA_DIR={demo.settings.data_dir}" in text_of(answer)


@pytest.fixture
def moving_clock(demo: Installation) -> Iterator[None]:
    clock.set_up(demo.settings)
    yield
    clock.set_up(demo.settings.model_copy(update={"mode": Mode.LIVE}))


@pytest.mark.usefixtures("moving_clock")
def test_the_newest_stands_first_with_the_time_by_the_demos_clock(demo: Installation, client: TestClient) -> None:
    before = notices(demo, 2)
    moved = clock.advance(demo.settings, 30 * DAY)
    (after,) = notices(demo, 1)
    answer = client.get("/outbox")
    assert listed(answer) == [after, *reversed(before)]
    day = long_time(moved).partition(",")[0]
    assert f"it is now {day}" in text_of(answer)
    assert day in article(answer, after)
    assert day not in article(answer, before[0])


def test_a_mail_is_shown_with_its_lines_its_page_and_its_plain_text(demo: Installation, client: TestClient) -> None:
    parcel, receipt = code_sent(demo, email_account(demo))
    shown = article(client.get("/outbox"), receipt)
    item = outbox.find(demo.settings.outbox_path, receipt)
    assert item
    for line in ("Example Hosting &lt;reset@hosting.example&gt;", item.to, item.subject):
        assert f"{line}<" in shown
    assert f'src="/outbox/{receipt}"' in shown
    assert f"{parcel.reference}" in shown
    plain = shown.partition("<pre>")[2]
    assert parcel.code
    assert f"{parcel.code[:4]} {parcel.code[4:]}" in plain
    frame = client.get(f"/outbox/{receipt}")
    assert frame.text.replace('\n<base target="_top">', "", 1) == item.html
    assert "<!doctype html>" in frame.text


def test_links_of_a_mail_lead_out_of_the_frame_to_pages_of_this_server(demo: Installation, client: TestClient) -> None:
    parcel, receipt = code_sent(demo, email_account(demo))
    frame = client.get(f"/outbox/{receipt}").text
    assert '<base target="_top">' in frame.partition("</head>")[0]
    assert parcel.case_id
    links = re.findall(rf'href="{demo.settings.public_url}(/[^"]*)"', frame)
    assert links == [
        f"/confirm/{parcel.reference}/{parcel.token}",
        f"/stop/{parcel.reference}/{stop_token(demo, parcel.case_id)}",
    ]
    assert [client.get(link).status_code for link in links] == [200, 200]
    (rights,) = re.findall(r'sandbox="([^"]*)"', article(client.get("/outbox"), receipt))
    assert "allow-top-navigation-by-user-activation" in rights.split()
    assert not {"allow-scripts", "allow-same-origin", "allow-forms"} & set(rights.split())


def test_a_letter_is_shown_as_its_page(demo: Installation, client: TestClient) -> None:
    parcel, receipt = code_sent(demo, letter_account(demo))
    shown = article(client.get("/outbox"), receipt)
    assert "48 Orchard Lane, Millbrook, VT 05450, US" in shown
    assert f'<iframe class="mail" src="/outbox/{receipt}"' in shown
    assert parcel.code
    assert f"{parcel.code[:5]} {parcel.code[5:]}" in client.get(f"/outbox/{receipt}").text


def test_a_letter_of_a_reset_that_was_stopped_says_that_it_never_left(
    demo: Installation, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    opened = open_case(demo, letter_account(demo), actor=Actor.AGENT, now=clock.now())
    for message_id in opened.owed:
        send_if_due(demo, message_id)
    (letter,) = (item for item in outbox.read(demo.settings.outbox_path) if item.channel is Channel.MAIL)
    assert "never left" not in client.get("/outbox").text
    cancel(demo, opened.reference, actor=Actor.CUSTOMER, now=clock.now(), how="stop link")
    recall_if_due(demo, letter.message_id)
    assert "stopped: it never left" in article(client.get("/outbox"), letter.receipt_id)
    assert case_with_history(demo, opened.reference)[1][-1].event == "letter_stopped"
    assert "not stopped yet" not in caplog.text


def test_a_text_message_is_a_bubble(demo: Installation, client: TestClient) -> None:
    parcel, receipt = code_sent(demo, sms_account(demo))
    shown = article(client.get("/outbox"), receipt)
    (bubble,) = re.findall(r'(?s)<p class="bubble">(.*?)</p>', shown)
    assert parcel.code
    assert bubble.startswith(f"{parcel.code[:4]} {parcel.code[4:]} is your")
    assert client.get(f"/outbox/{receipt}").status_code == 404


def test_what_carries_a_code_is_open_and_a_notice_is_folded(demo: Installation, client: TestClient) -> None:
    _, receipt = code_sent(demo, email_account(demo))
    (notice,) = notices(demo, 1)
    answer = client.get("/outbox")
    assert '<details class="frame" open>' in article(answer, receipt)
    assert "E-mail with the code to" in article(answer, receipt)
    assert '<details class="frame">' in article(answer, notice)


def account_code(demo: Installation, channel: Channel, use: CodeFor) -> str:
    """Sends a code that belongs to no case to the phone on file; its receipt id."""
    now = clock.now()
    ref = sms_account(demo)
    with demo.database.begin() as connection:
        account = lock_account(connection, account_id_of(connection, ref))
        phone = account.profile(connection).contact(ContactKind.PHONE)
        assert phone
        queued = send(demo, connection, account.id, phone, channel, use, now)
    return sent_now(demo, queued.owed)[0]


def sent_now(demo: Installation, owed: tuple[UUID, ...]) -> list[str]:
    """Has a worker send these; their receipt ids, in the order of sending."""
    for message_id in owed:
        send_if_due(demo, message_id)
    return [item.receipt_id for item in outbox.read(demo.settings.outbox_path) if item.message_id in owed]


def test_a_code_without_a_case_is_shown_as_what_it_is_for(demo: Installation, client: TestClient) -> None:
    receipt = account_code(demo, Channel.SMS, CodeFor.SIGN_IN)
    shown = article(client.get("/outbox"), receipt)
    assert "Text message with a code for signing in to" in shown
    assert "· reset" not in shown
    assert "None" not in shown


def test_9_ends_the_code_of_a_call_without_a_case(demo: Installation, client: TestClient) -> None:
    receipt = account_code(demo, Channel.VOICE, CodeFor.ENROLMENT)
    before = article(client.get("/outbox"), receipt)
    assert "Phone call with a code for a new second step to" in before
    assert "<kbd>9</kbd> End the code" in before
    assert client.post(f"/outbox/{receipt}/9").status_code == 303
    after = article(client.get("/outbox"), receipt)
    assert "<form" not in after
    assert "9 does nothing any more: the code has been used or replaced." in after


def test_the_link_for_enrolling_leads_to_its_own_page(demo: Installation, client: TestClient) -> None:
    parcel, _ = code_sent(demo, email_account(demo, passphrase=PASSPHRASE))
    assert parcel.reference
    assert parcel.token
    prove_link(demo, parcel.reference, parcel.token, now=clock.now())
    proven = prove_passphrase(demo, parcel.reference, PASSPHRASE, actor=Actor.CUSTOMER, now=clock.now())
    sent = sent_now(demo, proven.owed)
    page = client.get("/outbox")
    heading = "E-mail with the link for a new second step to"
    (shown,) = (found for each in sent if heading in (found := article(page, each)))
    assert '<details class="frame" open>' in shown
    assert parcel.case_id
    token = enrolment_token(demo, parcel.case_id)
    assert f"{demo.settings.public_url}/reset/{parcel.reference}/enrol/{token}" in shown


def test_a_notice_of_a_change_is_folded_and_says_what_changed(demo: Installation, client: TestClient) -> None:
    ref = email_account(demo)
    with demo.database.begin() as connection:
        account = lock_account(connection, account_id_of(connection, ref))
        owed = tell_change(demo, connection, account, Change.KEY_COPIED, clock.now())
    sent = sent_now(demo, owed)
    assert len(sent) == 2
    for receipt in sent:
        shown = article(client.get("/outbox"), receipt)
        assert '<details class="frame">' in shown
        assert "the key may have been copied" in " ".join(shown.split())


def test_a_message_that_was_sent_twice_says_so(demo: Installation, client: TestClient) -> None:
    parcel, first = code_sent(demo, sms_account(demo))
    second, third = put(demo, parcel), put(demo, parcel)
    answer = client.get("/outbox")
    assert "the same message" not in article(answer, first)
    assert "the same message, sent for the second time" in article(answer, second)
    assert "the same message, sent for the third time" in article(answer, third)


def test_text_of_a_message_is_never_markup(demo: Installation, client: TestClient) -> None:
    outbox.put(
        demo.settings.outbox_path,
        Channel.SMS,
        message(MessageKind.RESET_CODE).id,
        clock.now(),
        outbox.noted("<b>", "<script>x</script> http://127.0.0.1:8420/stop/a"),
    )
    page = client.get("/outbox").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert '<a href="http://127.0.0.1:8420/stop/a"' in page


def test_fifty_stand_on_a_page_and_a_link_leads_to_the_older_ones(demo: Installation, client: TestClient) -> None:
    newest_first = notices(demo, 101)[::-1]
    seen, path = [], "/outbox"
    for number in (50, 50, 1):
        answer = client.get(path)
        assert len(listed(answer)) == number
        seen += listed(answer)
        path = next(iter(re.findall(r'<a href="([^"]*)">Older messages', answer.text)), "")
    assert (seen, path) == (newest_first, "")


def test_exactly_fifty_have_nothing_older(demo: Installation, client: TestClient) -> None:
    notices(demo, 50)
    answer = client.get("/outbox")
    assert len(listed(answer)) == 50
    assert "Older messages" not in answer.text
    assert "There is nothing older." in client.get("/outbox?skip=50").text


@pytest.mark.parametrize("skip", ["-1", "x", "99999999999999999999"])
def test_a_page_that_cannot_be_is_refused_plainly(client: TestClient, skip: str) -> None:
    assert client.get(f"/outbox?skip={skip}").status_code == 422


@pytest.mark.parametrize("receipt", ["0123456789abcdef", "..%2F..%2Fkeyturn.db", "%00", "*"])
def test_a_receipt_that_is_not_there_has_no_frame(demo: Installation, client: TestClient, receipt: str) -> None:
    notices(demo, 1)
    assert client.get(f"/outbox/{receipt}").status_code == 404


# A call and its keys.


def test_a_call_says_the_code_only_after_1_is_pressed(demo: Installation, client: TestClient) -> None:
    parcel, receipt = called(demo)
    assert parcel.code
    before, pressed, after = article(client.get("/outbox"), receipt).partition('<details class="key">')
    assert pressed
    assert "To hear the code, press 1." in before
    assert spoken_code(parcel.code) not in before
    assert after.count(f"<p>{spoken_code(parcel.code)}</p>") == 3
    assert parcel.code not in before + after


def test_9_stops_the_reset_as_the_live_call_does(demo: Installation, client: TestClient, doorbells: Path) -> None:
    parcel, receipt = called(demo)
    rung = len(list(doorbells.iterdir()))
    answer = client.post(f"/outbox/{receipt}/9", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/outbox#{receipt}")
    view, history, messages = case_with_history(demo, parcel.reference or "")
    assert view.state is CaseState.CANCELLED
    assert (history[-1].event, history[-1].actor) == ("cancel", Actor.CUSTOMER)
    assert history[-1].facts
    assert "phone key" in history[-1].facts.values()
    owed = [each for each in messages if each.kind is MessageKind.NOTICE_CANCELLED]
    assert owed
    assert len(list(doorbells.iterdir())) == rung + len(owed)
    shown = article(client.get("/outbox"), receipt)
    assert "9 does nothing any more: the reset is cancelled." in shown
    assert "<form" not in shown


def test_9_in_an_old_call_changes_nothing(demo: Installation, client: TestClient) -> None:
    parcel, receipt = called(demo)
    client.post(f"/outbox/{receipt}/9")
    before = case_with_history(demo, parcel.reference or "")
    assert client.post(f"/outbox/{receipt}/9").status_code == 303
    assert case_with_history(demo, parcel.reference or "") == before


def test_9_is_a_key_of_calls_only(demo: Installation, client: TestClient) -> None:
    parcel, receipt = code_sent(demo, email_account(demo))
    assert client.post(f"/outbox/{receipt}/9").status_code == 404
    assert client.get(f"/outbox/{receipt}/9").status_code == 405
    assert state_of(demo, parcel) is CaseState.REQUESTED


def test_9_in_a_call_of_no_case_is_refused(demo: Installation, client: TestClient) -> None:
    stray = message(MessageKind.RESET_CODE, Channel.VOICE)
    receipt = Sandbox(Channel.VOICE, demo.settings.outbox_path, SENDER).send(stray, permit(Channel.VOICE)).provider_id
    assert client.post(f"/outbox/{receipt}/9").status_code == 404
    assert "<form" not in article(client.get("/outbox"), receipt)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_somebody_elses_page_cannot_press_9(demo: Installation, client: TestClient, headers: dict[str, str]) -> None:
    parcel, receipt = called(demo)
    assert client.post(f"/outbox/{receipt}/9", headers=headers).status_code == 403
    assert state_of(demo, parcel) is CaseState.REQUESTED


def test_looking_changes_nothing(demo: Installation, client: TestClient) -> None:
    parcel, receipt = called(demo)
    before = case_with_history(demo, parcel.reference or "")
    for method in ("GET", "HEAD"):
        assert client.request(method, "/outbox").status_code == 200
        client.request(method, f"/outbox/{receipt}")
    assert case_with_history(demo, parcel.reference or "") == before


def state_of(demo: Installation, parcel: Parcel) -> CaseState:
    return case_with_history(demo, parcel.reference or "")[0].state
