"""What tests of pages share: a page that is opened and watched, and what axe-core finds in it."""

from __future__ import annotations

from playwright.async_api import Browser, Page


async def grave_faults(page: Page, axe: str) -> list[str]:
    """What axe-core finds of the kinds serious and critical, contrast included."""
    await page.evaluate(axe)
    found = await page.evaluate("async () => await axe.run()")
    assert any(one["id"] == "color-contrast" for one in found["passes"] + found["violations"])  # it did look
    return [
        f"{one['id']}: {node['target']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def opened(
    browser: Browser, url: str, width: int = 1280, height: int = 800, script: str = ""
) -> tuple[Page, list[str]]:
    """A page, and what its console and its errors say; `script` is run in it first."""
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
    page = await context.new_page()
    if script:
        await page.add_init_script(script)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    await page.goto(url)
    return page, troubles
