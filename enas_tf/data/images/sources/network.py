"""A quick look whether a download can succeed at all."""

import http.client
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence

_TIMEOUT_SECONDS = 3.0


def are_reachable(urls: Sequence[str]) -> list[bool]:
    """Returns, for each address, whether anything answers there within three seconds.

    Proxies of the environment are used, as the download itself would do. Any answer counts, also
    one that refuses.

    Args:
      urls: addresses of http, https or ftp.
    """
    answers = [False] * len(urls)

    def ask(index: int) -> None:
        answers[index] = _answers(urls[index])

    # Threads, because looking up a name cannot be given a time limit.
    threads = [threading.Thread(target=ask, args=(i,), daemon=True) for i in range(len(urls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_TIMEOUT_SECONDS)
    return list(answers)


def _answers(url: str) -> bool:
    try:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        # Somebody is there; the download brings its own certificates.
        return isinstance(error.reason, ssl.SSLError)
    except (OSError, ValueError, http.client.HTTPException):
        return False
