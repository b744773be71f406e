"""Credentials of google-auth: what works with a host, and what does not."""

import os

import google.auth.exceptions
from google.auth import identity_pool, impersonated_credentials
from google.auth.credentials import AnonymousCredentials
from google.cloud import scheduler_v1
from google.oauth2.credentials import Credentials

from checks import ACCOUNT, ENDPOINT, OWNER, PARENT, check, client, finish, skipped

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
ACCESS_TOKEN_OF_ACCOUNT = f"{ENDPOINT}/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"


def pipeline(**named):
    """What a pipeline has: a token of its own issuer in a file, and no secret."""
    info = {
        "type": "external_account",
        "audience": "//host.internal/workloadIdentityPools/pipelines/providers/ci",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{ENDPOINT}/v1/token",
        "credential_source": {"file": os.environ["SUBJECT_TOKEN_FILE"]},
        **named,
    }
    return identity_pool.Credentials.from_info(info, scopes=SCOPES)


def lists(credentials):
    """Whether who has these may list jobs; else the name of the error."""
    try:
        return list(client(scheduler_v1.CloudSchedulerClient, credentials).list_jobs(parent=PARENT)) == []
    except Exception as error:
        return type(error).__name__


check("an access token", lists(OWNER))
check("a token of an outside issuer, exchanged", lists(pipeline()))
check("the same, for an account", lists(pipeline(service_account_impersonation_url=ACCESS_TOKEN_OF_ACCOUNT)))
impersonated = impersonated_credentials.Credentials(OWNER, ACCOUNT, SCOPES, iam_endpoint_override=ACCESS_TOKEN_OF_ACCOUNT)
check("an account, impersonated", lists(impersonated))
subject = open(os.environ["SUBJECT_TOKEN_FILE"]).read()
check("a token of an outside issuer, as it is", lists(Credentials(subject)))

# On 401 google-auth would have a new token, which neither can get.
check("nobody", lists(AnonymousCredentials()), "InvalidOperation")
check("a token of nobody", lists(Credentials("none")), "RefreshError")
skipped("impersonated ID tokens of google-auth", "their endpoint is fixed; call generateIdToken, as iam.py does")
skipped("key files of accounts", "accounts of the host have no keys that people keep")
finish()
