"""Service accounts, policies and tokens, by google-cloud-iam and google-api-python-client."""

import base64
import json

import google.auth.impersonated_credentials
from google.cloud import iam_credentials_v1, scheduler_v1

from checks import ACCOUNT, ENDPOINT, OWNER, PARENT, PROJECT, VIEWER, check, client, discovered, finish, refused, skipped

accounts = discovered("iam", "v1").projects().serviceAccounts()
viewers = discovered("iam", "v1", VIEWER).projects().serviceAccounts()
projects = discovered("cloudresourcemanager", "v1").projects()
parent = f"projects/{PROJECT}"
email = f"myserviceaccount@{PROJECT}.iam.gserviceaccount.com"
name = f"{parent}/serviceAccounts/{email}"

new = {"accountId": "myserviceaccount", "serviceAccount": {"displayName": "My service account"}}
created = accounts.create(name=parent, body=new).execute()
check("create", (created["email"], created["name"], created["displayName"]), (email, name, "My service account"))
refused("create: it is there already", 409, "ALREADY_EXISTS", accounts.create(name=parent, body=new).execute)
refused("create: a name that is none", 400, "INVALID_ARGUMENT", accounts.create(name=parent, body={"accountId": "A!"}).execute)
refused("a viewer creates none", 403, "IAM_PERMISSION_DENIED", viewers.create(name=parent, body=new).execute)
check("get: it is the same", accounts.get(name=name).execute(), created)
check("get: in any project", accounts.get(name=f"projects/-/serviceAccounts/{email}").execute(), created)
check("get: by its number", accounts.get(name=f"projects/-/serviceAccounts/{created['uniqueId']}").execute(), created)

change = {"serviceAccount": {"displayName": "Other", "description": "no"}, "updateMask": "displayName"}
changed = accounts.patch(name=name, body=change).execute()
check("patch: what the mask names", (changed["displayName"], changed.get("description", "")), ("Other", ""))
old = {"serviceAccount": {"displayName": "x", "etag": created["etag"]}, "updateMask": "displayName"}
refused("patch: made from an old one", 409, "ABORTED", accounts.patch(name=name, body=old).execute)

found, request = [], accounts.list(name=parent, pageSize=1)
while request is not None:
    page = request.execute()
    found.append([one["email"] for one in page["accounts"]])
    request = accounts.list_next(request, page)
check("list: pages", (all(len(page) == 1 for page in found), [email] in found, [ACCOUNT] in found), (True, True, True))

policy = accounts.getIamPolicy(resource=name).execute()
binding = {"role": "roles/iam.serviceAccountTokenCreator", "members": [f"serviceAccount:{ACCOUNT}"]}
wanted = {"policy": {"etag": policy["etag"], "bindings": [binding]}}
check("policy of an account: it is set", accounts.setIamPolicy(resource=name, body=wanted).execute()["bindings"], [binding])
refused("policy of an account: made from an old one", 409, "ABORTED", accounts.setIamPolicy(resource=name, body=wanted).execute)

check("the project", projects.get(projectId=PROJECT).execute()["projectId"], PROJECT)
policy = projects.getIamPolicy(resource=PROJECT, body={}).execute()
wanted = {"policy": {**policy, "bindings": policy["bindings"] + [{"role": "roles/cloudscheduler.viewer", "members": [f"serviceAccount:{email}"]}]}}
changed = projects.setIamPolicy(resource=PROJECT, body=wanted).execute()
check("policy of the project: it is set", len(changed["bindings"]), len(policy["bindings"]) + 1)
refused("policy of the project: made from an old one", 409, "ABORTED", projects.setIamPolicy(resource=PROJECT, body=wanted).execute)
for why, bindings in [
    ("a role that is none", [{"role": "roles/none", "members": ["user:a@example.com"]}]),
    ("an account that is none", [{"role": "roles/viewer", "members": [f"serviceAccount:none@{PROJECT}.iam.gserviceaccount.com"]}]),
    ("everybody", [{"role": "roles/viewer", "members": ["allUsers"]}]),
]:
    body = {"policy": {"bindings": bindings}}
    refused(f"policy of the project: {why}", 400, "INVALID_ARGUMENT", projects.setIamPolicy(resource=PROJECT, body=body).execute)
of_viewer = discovered("cloudresourcemanager", "v1", VIEWER).projects()
refused("a viewer sets no policy", 403, "IAM_PERMISSION_DENIED", of_viewer.setIamPolicy(resource=PROJECT, body={"policy": {}}).execute)
tested = of_viewer.testIamPermissions(resource=PROJECT, body={"permissions": ["cloudscheduler.jobs.list", "cloudscheduler.jobs.create"]})
check("permissions of a viewer", tested.execute()["permissions"], ["cloudscheduler.jobs.list"])

tokens = client(iam_credentials_v1.IAMCredentialsClient)
holder = f"projects/-/serviceAccounts/{email}"
token = tokens.generate_id_token(name=holder, audience="http://a", include_email=True).token
claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
check("ID token", (claims["aud"], claims["email"], claims["sub"]), ("http://a", email, created["uniqueId"]))
token = tokens.generate_id_token(name=holder, audience="http://a").token
check("ID token without the address", "email" in json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")), False)
scope = ["https://www.googleapis.com/auth/cloud-platform"]
answer = tokens.generate_access_token(name=holder, scope=scope, lifetime={"seconds": 600})
check("access token", (bool(answer.access_token), bool(answer.expire_time)), (True, True))
refused("access token: for longer than an hour", 400, "INVALID_ARGUMENT", tokens.generate_access_token,
        name=holder, scope=scope, lifetime={"seconds": 7200})
refused("a token of an account that is none", 404, "NOT_FOUND", tokens.generate_id_token,
        name=f"projects/-/serviceAccounts/none@{PROJECT}.iam.gserviceaccount.com", audience="http://a")
of_viewer = client(iam_credentials_v1.IAMCredentialsClient, VIEWER)
refused("a viewer gets no ID token", 403, "IAM_PERMISSION_DENIED", of_viewer.generate_id_token, name=holder, audience="http://a")
refused("a viewer gets no access token", 403, "IAM_PERMISSION_DENIED", of_viewer.generate_access_token, name=holder, scope=scope)

override = f"{ENDPOINT}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
impersonated = google.auth.impersonated_credentials.Credentials(OWNER, email, scope, iam_endpoint_override=override)
jobs = client(scheduler_v1.CloudSchedulerClient, impersonated)
check("impersonated: what its role lets it", len(list(jobs.list_jobs(parent=PARENT))), 0)
refused("impersonated: nothing else", 403, "IAM_PERMISSION_DENIED", jobs.create_job, parent=PARENT, job={"schedule": "0 * * * *"})

accounts.disable(name=name, body={}).execute()
check("disable", accounts.get(name=name).execute()["disabled"], True)
refused("disable: no more tokens", 412, "FAILED_PRECONDITION", tokens.generate_id_token, name=holder, audience="http://a")
accounts.enable(name=name, body={}).execute()
check("enable", bool(tokens.generate_id_token(name=holder, audience="http://a").token), True)
keys = accounts.keys().create(name=name, body={})
refused("keys: there are none", 400, "INVALID_ARGUMENT", keys.execute)
check("delete", accounts.delete(name=name).execute(), {})
refused("delete: it is gone", 404, "NOT_FOUND", accounts.get(name=name).execute)
skipped("google.cloud.iam_admin_v1", "it speaks gRPC alone, and the host REST alone")
finish()
