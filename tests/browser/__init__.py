"""The pages in a real browser: the machine's own Chromium, driven by Playwright, against the processes of a demo."""
