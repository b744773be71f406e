"""What the scripts beside this one have in common: where the host is, who calls, and checks that print a line each."""

import os
import sys

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError
from google.oauth2.credentials import Credentials
import requests

ENDPOINT = os.environ["CONTROL_PLANE"]
PROJECT = "my-project"
LOCATION = "us-central1"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
ACCOUNT = f"caller@{PROJECT}.iam.gserviceaccount.com"
OWNER = Credentials(os.environ["OWNER_TOKEN"])
VIEWER = Credentials(os.environ["VIEWER_TOKEN"])
OPTIONS = ClientOptions(api_endpoint=ENDPOINT)

_failures = []


def client(kind, credentials=OWNER):
    """A client of this kind, over REST."""
    return kind(credentials=credentials, transport="rest", client_options=OPTIONS)


def discovered(name, version, credentials=OWNER):
    """The client of an API by its discovery document, which lies in the package."""
    from googleapiclient.discovery import build

    return build(name, version, credentials=credentials, client_options=OPTIONS, static_discovery=True)


def check(name, found, expected=True):
    """Prints whether what was found is what was expected."""
    if found == expected:
        print("ok", name)
    else:
        print(f"FAIL {name}: {found!r}; expected {expected!r}")
        _failures.append(name)


def refused(name, status, reason, call, /, *arguments, **named):
    """That a call is refused with this HTTP status, for a reason that is told: the status' name, or what says more."""
    from googleapiclient.errors import HttpError

    try:
        call(*arguments, **named)
    except GoogleAPICallError as error:
        check(name, (error.code, error.reason, error.domain), (status, reason, "host"))
        return error
    except HttpError as error:
        details = error.error_details[0]
        check(name, (error.status_code, details["reason"]), (status, reason))
        return error
    return check(name, "no error", (status, reason))


def upload(url, data):
    """Puts a source where it was said to go. No credential is sent: who knows the URL may."""
    return requests.put(url, data=data, headers={"content-type": "application/zip"}, timeout=60)


def component():
    """A zip archive of a folder with a component."""
    return archive({"hello.wasm": open(os.environ["COMPONENT"], "rb").read()})


def archive(files):
    """A zip archive of these files."""
    import io
    import zipfile

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return whole.getvalue()


def skipped(name, why):
    """Prints what is not looked at."""
    print(f"skipped {name}: {why}")


def finish():
    """Ends the script; with an error if a check has failed."""
    sys.stdout.flush()
    sys.exit(f"{len(_failures)} failed: {', '.join(_failures)}" if _failures else 0)
