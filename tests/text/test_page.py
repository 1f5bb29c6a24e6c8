"""The chat in a real browser: in another site's page, by keyboard, in three languages, over kills of the service; and
nothing that is written ever becomes markup."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.async_api import Browser, WebSocketRoute, async_playwright, expect

from devstack.processes import wait_for
from devstack.stack import IN_WRITING, Stack, StackPlan
from tests.in_browser import grave_faults, opened
from text_service.conversation import TextEnd

KEY = "a-key-of-clients-1"
LONG_MS = 30_000

XSS = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "<svg onload=window.hit=1>",
    "<svg><script>window.hit=1</script></svg>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "<iframe src='javascript:parent.hit=1'></iframe>",
    "<object data='javascript:window.hit=1'></object>",
    "<a href='javascript:window.hit=1'>x</a>",
    "<style>*{background:url(javascript:window.hit=1)}</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>",
    "<details open ontoggle=window.hit=1>",
    "<input autofocus onfocus=window.hit=1>",
    "<base href='https://evil.example/'>",
    "<form action='https://evil.example/'><button>x</button></form>",
    "<!--><img src=x onerror=window.hit=1>-->",
    "[x](javascript:window.hit=1)",
    "[x](JaVaScRiPt:window.hit=1)",
    "[x](java\tscript:window.hit=1)",
    "[x](java&#10;script:window.hit=1)",
    "[x](&#106;avascript:window.hit=1)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox)",
    "[x](//evil.example)",
    '[x](https://a.example/"onmouseover=window.hit=1)',
    "[x](https://a.example/'onmouseover=window.hit=1)",
    "[x](https://a.example/<script>window.hit=1</script>)",
    "[<img src=x onerror=window.hit=1>](https://a.example)",
    '![x](x"onerror="window.hit=1)',
    "![x](javascript:window.hit=1)",
    "**<img src=x onerror=window.hit=1>**",
    "`</code><script>window.hit=1</script>`",
    "- <script>window.hit=1</script>\n- [x](javascript:window.hit=1)",
    "1. <svg/onload=window.hit=1>",
    "# <script>window.hit=1</script>",
    "```\n<script>window.hit=1</script>\n```",
    "<javascript:window.hit=1>",
    "\u202e<script>window.hit=1</script>",
    "{{constructor.constructor('window.hit=1')()}}",
    '<a href="https://a.example" onclick=window.hit=1>x</a>',
    "*" * 2_000,
    "[" * 2_000 + "](" * 2_000,
]
ALLOWED = {"P", "BR", "STRONG", "EM", "CODE", "UL", "OL", "LI", "A"}


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[str, _Pages]]:
    """A web site with a strict policy: its address, and its pages by path."""
    pages: dict[str, str] = {}
    policy: dict[str, str] = {}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy.get("bot", "default-src 'none'"))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = f"http://localhost:{server.server_port}"
    try:
        yield site, _Pages(pages, policy)
    finally:
        server.shutdown()
        server.server_close()


class _Pages:
    """The pages of the shop; `embed` makes one that has the chat."""

    def __init__(self, pages: dict[str, str], policy: dict[str, str]) -> None:
        self._pages, self._policy = pages, policy

    def embed(self, bot: str, path: str, language: str) -> None:
        self._policy["bot"] = f"default-src 'none'; script-src {bot}; frame-src {bot}"
        script = f'<script src="{bot}/chat/chat.js" data-language="{language}" data-flow="fr/heating" defer></script>'
        self._pages[path] = (
            f'<!doctype html><html lang="{language}"><head><title>Shop</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{script}</head>'
            "<body><h1>Chauffage du Nord</h1><p>Des pompes à chaleur.</p></body></html>"
        )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, shop: tuple[str, _Pages]) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("page")
    settings = {"TEXT_API_KEY": KEY, "TEXT_ORIGINS": shop[0], "TEXT_CLIENT_RATE": "1000", "STRAIN_LIMIT": "0"}
    settings["TEXT_PAGE_URL"] = "https://bot.example"
    with Stack(StackPlan(folder / "logs", folder / "state", settings=settings, services=IN_WRITING)) as one:
        yield one


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield one
        await one.close()


def chat_url(stack: Stack, language: str = "fr") -> str:
    return f"{stack.url('text_service')}/chat/page.html?language={language}&flow=fr/heating"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 640)])
async def test_another_sites_page_has_the_chat_by_one_tag_and_by_keyboard_alone(
    stack: Stack, shop: tuple[str, _Pages], browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    site, pages = shop
    pages.embed(stack.url("text_service"), "/", "fr")
    page, troubles = await opened(browser, f"{site}/", width, height)
    await expect(page.get_by_role("button", name="Ouvrir la discussion")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    chat = page.frame_locator("#pronto-chat-frame")
    await expect(chat.get_by_text("Connecté")).to_be_visible(timeout=LONG_MS)
    field = chat.get_by_label("Votre message")
    await expect(field).to_be_focused()
    for text in ("oui bonjour", "75011"):
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
        await expect(chat.locator(".bot .thumbs")).to_have_count(2 if text == "75011" else 1, timeout=LONG_MS)
    assert await chat.locator(".own .text").all_inner_texts() == ["oui bonjour", "75011"]
    log = chat.get_by_role("log")
    for element in (chat.locator("html"), page.locator("html")):
        assert await element.evaluate("element => element.scrollWidth <= element.clientWidth")
    sizes = await chat.locator("button:visible").evaluate_all(
        "buttons => buttons.map(one => one.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"
    )
    assert min(sizes) >= 44
    assert await log.evaluate("element => element.scrollTop + element.clientHeight >= element.scrollHeight - 2")
    if shots := os.environ.get("PAGE_SHOTS", str(tmp_path)):
        await page.screenshot(path=Path(shots) / f"chat-{width}.png")
    await page.keyboard.press("Escape")
    await expect(page.locator("#pronto-chat-frame")).to_be_hidden()
    await expect(page.locator("#pronto-chat-button")).to_be_focused()
    assert troubles == []


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_the_page_has_no_grave_fault_of_accessibility(
    stack: Stack, browser: Browser, axe: str, colours: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 640}, locale="fr-FR", color_scheme=colours, bypass_csp=True
    )
    page = await context.new_page()
    await page.goto(f"{chat_url(stack)}&embedded=1")
    await expect(page.get_by_text("Connecté")).to_be_visible(timeout=LONG_MS)
    assert await grave_faults(page, axe) == []
    field = page.get_by_label("Votre message")
    await field.fill("oui bonjour")
    await field.press("Enter")
    await page.get_by_role("button", name="Mauvaise réponse").click(timeout=LONG_MS)
    await field.fill("x" * 1_700)
    assert await grave_faults(page, axe) == []
    await context.set_offline(True)
    await field.fill("et le dimanche ?")
    await field.press("Enter")
    await expect(page.locator(".waits")).to_have_count(1)
    assert await grave_faults(page, axe) == []
    for path in ("/try", "/chat/page.html?language=it", "/chat/page.html?language=en"):
        await context.set_offline(False)
        await page.goto(stack.url("text_service") + path)
        assert await grave_faults(page, axe) == []


async def test_a_page_of_another_site_may_not_have_it_in_a_frame(
    stack: Stack, shop: tuple[str, _Pages], browser: Browser
) -> None:
    site, pages = shop
    pages.embed(stack.url("text_service"), "/", "fr")
    page, troubles = await opened(browser, site.replace("localhost", "127.0.0.1") + "/")
    await page.locator("#pronto-chat-button").click()
    await expect(page.frame_locator("#pronto-chat-frame").locator("#field")).to_have_count(0)
    assert await asyncio.to_thread(wait_for, lambda: any("frame-ancestors" in one for one in troubles), 20.0)


async def test_over_kills_of_the_service_all_is_answered_once_and_in_order(stack: Stack, browser: Browser) -> None:
    page, _ = await opened(browser, chat_url(stack))
    await expect(page.get_by_text("Connecté")).to_be_visible(timeout=LONG_MS)
    field = page.get_by_label("Votre message")
    written = ["oui bonjour", "75011", "oui"]
    for number, text in enumerate(written):
        pid = stack.services["text_service"].pid
        await field.fill(text)
        await field.press("Enter")
        os.kill(pid, signal.SIGKILL)
        await expect(page.get_by_text("Reconnexion")).to_be_visible(timeout=LONG_MS)
        await expect(page.get_by_text("Connecté")).to_be_visible(timeout=60_000)
        await expect(page.locator(".bot .thumbs")).to_have_count(number + 1, timeout=LONG_MS)
    assert await page.locator(".own .text").all_inner_texts() == written
    ids = await page.locator("[data-id]").evaluate_all("all => all.map(one => one.dataset.id)")
    assert len(set(ids)) == len(ids)
    await page.reload()
    await expect(page.locator(".own .text")).to_have_text(written, timeout=LONG_MS)
    assert await page.locator("[data-id]").evaluate_all("all => all.map(one => one.dataset.id)") == ids


async def test_while_nothing_can_be_answered_the_page_says_one_sentence_and_takes_messages(
    stack: Stack, browser: Browser
) -> None:
    page = await browser.new_page(locale="fr-FR")
    routes: list[WebSocketRoute] = []

    def pass_on(route: WebSocketRoute) -> None:
        route.connect_to_server()
        routes.append(route)

    await page.route_web_socket(re.compile("/ws/text$"), pass_on)
    await page.goto(chat_url(stack))
    await expect(page.get_by_text("Connecté")).to_be_visible(timeout=LONG_MS)
    for _ in range(2):  # once more after a connection that broke off
        routes[0].send(json.dumps({"type": "notice", "code": "away", "detail": ""}))
    await expect(page.get_by_text("Nous ne pouvons pas répondre pour l'instant")).to_have_count(1)
    await expect(page.get_by_text("Réponse différée")).to_be_visible()
    field = page.get_by_label("Votre message")
    await field.fill("oui bonjour")
    await field.press("Enter")
    await expect(page.locator(".own")).to_have_count(1)
    routes[0].send(json.dumps({"type": "notice", "code": "there", "detail": ""}))
    await expect(page.get_by_text("Nous ne pouvons pas répondre pour l'instant")).to_have_count(0)
    await expect(page.locator(".bot .thumbs")).to_have_count(1, timeout=LONG_MS)


async def test_a_link_is_opened_and_its_secret_does_not_stay_in_the_address(stack: Stack, browser: Browser) -> None:
    async with httpx.AsyncClient(
        base_url=stack.url("text_service"), headers={"Authorization": f"Bearer {KEY}"}
    ) as client:
        made = await client.post("/api/text/links", json={"number": "+33612345678", "flow": "fr/heating"})
    secret = made.json()["link"].partition("#go=")[2]
    address = f"{stack.url('text_service')}/chat/page.html?language=fr#go={secret}"
    page, troubles = await opened(browser, address)
    await expect(page.locator(".bot")).not_to_have_count(0, timeout=LONG_MS)  # the bot begins
    assert secret not in page.url
    assert troubles == []
    other, _ = await opened(browser, address)
    await expect(other.get_by_text("Ce lien a déjà été ouvert dans un autre navigateur.")).to_be_visible(
        timeout=LONG_MS
    )
    await expect(other.locator(".bot")).to_have_count(0)
    assert secret not in other.url


async def test_answers_are_rated_and_a_new_conversation_forgets_the_old_one(stack: Stack, browser: Browser) -> None:
    page, troubles = await opened(browser, chat_url(stack))
    field = page.get_by_label("Votre message")
    await field.fill("oui bonjour")
    await field.press("Enter")
    await page.get_by_role("button", name="Mauvaise réponse").click(timeout=LONG_MS)
    await page.keyboard.type("trop longue")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Mauvaise réponse")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#live")).to_have_text("Merci pour votre avis.")
    await field.fill("x" * 1_700)
    await expect(page.get_by_text("300 caractères restants")).to_be_visible()
    await field.fill("")
    await field.press("Enter")  # nothing is sent
    await page.get_by_role("button", name="Nouvelle discussion").click()
    await expect(page.locator("[data-id]")).to_have_count(0)
    await field.fill("oui bonjour")
    await field.press("Enter")
    await expect(page.locator(".own .text")).to_have_text(["oui bonjour"], timeout=LONG_MS)
    assert troubles == []


async def test_nothing_that_is_written_becomes_markup(stack: Stack, browser: Browser) -> None:
    page, troubles = await opened(browser, chat_url(stack))
    found = await page.evaluate(
        """async (corpus) => {
            const { rendered } = await import("/chat/markdown.js");
            return corpus.map((text) => {
                const box = document.createElement("div");
                box.append(rendered(text));
                document.body.append(box);
                const all = [...box.querySelectorAll("*")];
                return {
                    names: [...new Set(all.map((one) => one.tagName))],
                    attributes: [...new Set(all.flatMap((one) => one.getAttributeNames()))],
                    links: all.filter((one) => one.tagName === "A").map((one) => one.protocol),
                    text: box.textContent,
                };
            });
        }""",
        XSS,
    )
    assert len(found) == len(XSS)
    for text, one in zip(XSS, found, strict=True):
        assert set(one["names"]) <= ALLOWED, text
        assert set(one["attributes"]) <= {"href", "rel", "target"}, text
        assert set(one["links"]) <= {"http:", "https:", "mailto:"}, text
        if "<" in text and not text.startswith(("-", "1.", "`", "**", "[")):
            assert one["text"] == text.replace("\n", ""), text
    field = page.get_by_label("Votre message")
    await field.fill(XSS[1])
    await field.press("Enter")
    await expect(page.locator(".own[data-id] .text")).to_have_text(XSS[1], timeout=LONG_MS)
    await page.wait_for_timeout(0)
    assert await page.evaluate("window.hit") is None
    assert troubles == []


async def test_what_markdown_means_is_shown(stack: Stack, browser: Browser) -> None:
    page, _ = await opened(browser, chat_url(stack))
    shown = await page.evaluate(
        """async (text) => {
            const { rendered } = await import("/chat/markdown.js");
            const box = document.createElement("div");
            box.append(rendered(text));
            return new XMLSerializer().serializeToString(box).replaceAll(' xmlns="http://www.w3.org/1999/xhtml"', "");
        }""",
        "Un **prix** de *base* :\ndès `5` €.\n\n- un\n- [deux](https://a.example/x)\n\n1. trois\n2 * 3 * 4",
    )
    assert shown == (
        "<div><p>Un <strong>prix</strong> de <em>base</em> :<br />dès <code>5</code> €.</p>"
        '<ul><li>un</li><li><a href="https://a.example/x" rel="noopener noreferrer" target="_blank">deux</a></li></ul>'
        "<ol><li>trois</li></ol><p>2 <em> 3 </em> 4</p></div>"
    )


async def test_each_language_says_all_and_everything_has_a_name(stack: Stack, browser: Browser) -> None:
    for language, send in (("fr", "Envoyer"), ("it", "Invia"), ("en", "Send")):
        page, troubles = await opened(browser, chat_url(stack, language))
        words = await page.evaluate(
            """async (language) => {
                const { wordsOf } = await import("/chat/words.js");
                const words = Object.entries(wordsOf(language));
                return words.map(([key, value]) => [key, typeof value, String(value).length]);
            }""",
            language,
        )
        names = {key for key, _, length in words if length}
        ends: tuple[TextEnd, ...] = ("bot_hung_up", "transferred")
        assert {*ends, "connected", "reconnecting", "offline", "error", "too_many_requests", "model_timeout"} <= names
        assert len(names) == 32
        await expect(page.get_by_role("button", name=send)).to_be_visible()
        assert await page.locator("html").get_attribute("lang") == language
        unnamed = await page.locator("button, textarea, input, [role=log]").evaluate_all(
            """all => all.filter(one => !(one.getAttribute("aria-label") || one.labels?.[0]?.textContent)).length"""
        )
        assert unnamed == 0
        assert troubles == []


async def test_flows_are_tried_with_the_key_and_not_without(stack: Stack, browser: Browser) -> None:
    page, _ = await opened(browser, f"{stack.url('text_service')}/try")
    await expect(page.get_by_role("alert")).to_contain_text("401 unauthorised")
    await page.get_by_label("Key").fill(KEY)
    await page.get_by_role("button", name="Use").click()
    await expect(page.get_by_label("Flow")).to_have_value("fr/heating")
    await page.get_by_label("Query").fill("oui bonjour")
    await page.get_by_role("button", name="Ask").click()
    await expect(page.locator("#rows tr")).to_have_count(1, timeout=LONG_MS)
    await expect(page.locator("#rows tr")).to_contain_text("code postal")
