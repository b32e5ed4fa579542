"""A headless Chromium, driven over pipes, that logs every request of a page."""

import contextlib
import json
import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "chromium-headless-shell")
# The browser reads commands from descriptor 3 and answers on descriptor 4.
_LAUNCH = """
import os, sys
reads, writes = (os.dup(int(number)) for number in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(writes, 4)
os.set_inheritable(3, True)  # which `dup2` does not, if both are the same
os.set_inheritable(4, True)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_SCRIPT = "document.documentElement.outerHTML"


def installed():
    """Path of a browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def requests(page, profile):
    """Opens a file and returns the URLs that it requests, those that are blocked, and its content.

    URLs that contain their own data are left out.

    Args:
      page: the file.
      profile: empty folder for the files of the browser.
    """
    with _browser(profile) as call:
        target = call("Target.createTarget", url="about:blank")["targetId"]
        session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Network", "Page"):
            call(f"{domain}.enable", session)
        call("Page.navigate", session, url=page.resolve().as_uri())
        call.until("Page.loadEventFired")
        # Scripts and timers may request more once the page is loaded.
        wait = "new Promise(done => setTimeout(done, 1000))"
        call("Runtime.evaluate", session, expression=wait, awaitPromise=True)
        content = call("Runtime.evaluate", session, expression=_SCRIPT)["result"]["value"]
    of = lambda name: [e["params"] for e in call.events if e.get("method") == f"Network.{name}"]
    blocked = {event["requestId"] for event in of("loadingFailed") if "blockedReason" in event}
    urls = {True: [], False: []}
    for event in of("requestWillBeSent"):
        if not (url := event["request"]["url"]).startswith("data:"):
            urls[event["requestId"] in blocked].append(url)
    return urls[False], urls[True], content


class _Pipe:
    """Commands of the DevTools protocol and their answers; collects events meanwhile."""

    def __init__(self, reads, writes):
        self.reads, self.writes, self.events, self.number = reads, writes, [], 0

    def __call__(self, method, session=None, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        command |= {"sessionId": session} if session else {}
        self.writes.write(json.dumps(command).encode() + b"\0")
        self.writes.flush()
        answer = self._receive(lambda message: message.get("id") == command["id"])
        assert "error" not in answer, answer
        return answer["result"]

    def until(self, event):
        if not any(message.get("method") == event for message in self.events):
            self._receive(lambda message: message.get("method") == event)

    def _receive(self, wanted):
        while True:
            content = bytearray()
            while (byte := self.reads.read(1)) != b"\0":
                assert byte, "the browser ended"
                content += byte
            message = json.loads(content)
            self.events.append(message)
            if wanted(message):
                return message


@contextlib.contextmanager
def _browser(profile):
    (commands, to_browser), (from_browser, answers) = os.pipe(), os.pipe()
    options = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    options += ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    launch = [sys.executable, "-c", _LAUNCH, str(commands), str(answers), installed()]
    with subprocess.Popen(
        [*launch, *options], pass_fds=(commands, answers), stderr=subprocess.DEVNULL
    ) as process:
        os.close(commands)
        os.close(answers)
        with open(to_browser, "wb") as writes, open(from_browser, "rb") as reads:
            try:
                yield _Pipe(reads, writes)
            finally:
                process.kill()
