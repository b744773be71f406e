"""Functions of the second generation, by google-cloud-functions."""

import os

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import functions_v2, iam_credentials_v1
from google.cloud.functions_v2 import Function, ServiceConfig
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import field_mask_pb2
import requests

from checks import ACCOUNT, PARENT, VIEWER, archive, check, client, component, finish, refused, upload

functions = client(functions_v2.FunctionServiceClient)
viewer = client(functions_v2.FunctionServiceClient, VIEWER)
name = f"{PARENT}/functions/hello_world"


def uploaded(data):
    place = functions.generate_upload_url(request={"parent": PARENT})
    check("upload: it is taken", upload(place.upload_url, data).status_code, 200)
    return place


def function(place, **fields):
    build = functions_v2.BuildConfig(
        runtime="wasi", entry_point="hello_world", source=functions_v2.Source(storage_source=place.storage_source)
    )
    service = ServiceConfig(
        timeout_seconds=5,
        environment_variables={"MODE": "slow"},
        ingress_settings=ServiceConfig.IngressSettings.ALLOW_ALL,
        service_account_email=ACCOUNT,
        available_memory="64Mi",
        max_instance_request_concurrency=80,
        max_instance_count=3,
    )
    kind = functions_v2.Environment.GEN_2
    return Function(name=name, description="Greets", environment=kind, build_config=build, service_config=service, **fields)


def create(place, id="hello_world", by=functions, **fields):
    return by.create_function(parent=PARENT, function=function(place, **fields), function_id=id)


def update(changed, *paths):
    mask = field_mask_pb2.FieldMask(paths=paths) if paths else None
    return functions.update_function(function=changed, update_mask=mask).result(timeout=60)


def policy(of=name):
    return functions.get_iam_policy(iam_policy_pb2.GetIamPolicyRequest(resource=of, options={"requested_policy_version": 3}))


def set_policy(policy, by=functions):
    return by.set_iam_policy(iam_policy_pb2.SetIamPolicyRequest(resource=name, policy=policy))


place = uploaded(component())
check("upload: only once", upload(place.upload_url, b"PK").status_code in range(400, 500), True)
operation = create(place, labels={"team": "a"})
check("create: the operation", operation.metadata.target, name)
created = operation.result(timeout=60)
check("create: it serves", (created.name, created.state), (name, Function.State.ACTIVE))
check("create: what was sent is there", (created.environment, created.description, dict(created.labels)),
      (functions_v2.Environment.GEN_2, "Greets", {"team": "a"}))
service = created.service_config
check("create: the settings", (service.timeout_seconds, dict(service.environment_variables), service.service_account_email,
                               service.available_memory, service.max_instance_count),
      (5, {"MODE": "slow"}, ACCOUNT, "64Mi", 3))
check("create: where it answers", created.url, f"{os.environ['FUNCTIONS']}/hello_world")
check("get: it is the same", functions.get_function(name=name), created)
refused("create: it is there already", 409, "ALREADY_EXISTS", create, uploaded(component()))
refused("create: an upload that is none", 400, "INVALID_ARGUMENT", create,
        functions_v2.GenerateUploadUrlResponse(storage_source={"bucket": "other", "object": "x.zip"}), id="other")

polled = functions.get_operation({"name": operation.operation.name})
check("operation: it is done", (polled.done, polled.name), (True, operation.operation.name))
listed = functions.list_operations({"name": PARENT}).operations
check("operation: it is listed", operation.operation.name in [one.name for one in listed], True)
refused("operation: one that is none", 404, "NOT_FOUND", functions.get_operation, {"name": f"{PARENT}/operations/none"})

changed = update(Function(name=name, service_config={"environment_variables": {"A": "b"}}, description="no"),
                 "service_config.environment_variables")
check("update: what the mask names", dict(changed.service_config.environment_variables), {"A": "b"})
check("update: nothing else", (changed.description, changed.service_config.timeout_seconds), ("Greets", 5))
check("update: what the mask names and is absent", dict(update(Function(name=name), "labels").labels), {})
changed = update(functions.get_function(name=name))
check("update: what was read can be sent back", changed.service_config.environment_variables["A"], "b")
refused("update: a function that is none", 404, "NOT_FOUND", functions.update_function, function=Function(name=f"{PARENT}/functions/none"))

check("call: it is private", requests.post(created.url, json={"name": "a"}, timeout=60).status_code in (401, 403), True)
first = policy()
check("policy: an etag and nobody", (bool(first.etag), len(first.bindings)), (True, 0))
bindings = [policy_pb2.Binding(role="roles/cloudfunctions.invoker", members=[f"serviceAccount:{ACCOUNT}"])]
private = set_policy(policy_pb2.Policy(etag=first.etag, bindings=bindings))
tokens = client(iam_credentials_v1.IAMCredentialsClient)
token = tokens.generate_id_token(name=f"projects/-/serviceAccounts/{ACCOUNT}", audience=created.url).token
answer = requests.post(created.url, json={"name": "a"}, headers={"authorization": f"Bearer {token}"}, timeout=60)
check("call: with the token of an account that may", (answer.status_code, bool(answer.text)), (200, True))
bindings = [policy_pb2.Binding(role="roles/cloudfunctions.invoker", members=["allUsers"])]
second = set_policy(policy_pb2.Policy(etag=private.etag, bindings=bindings))
check("policy: it is set", list(second.bindings[0].members), ["allUsers"])
check("policy: it is read again", policy(), second)
error = refused("policy: made from an old one", 409, "ABORTED", set_policy, policy_pb2.Policy(etag=first.etag))
check("policy: made from an old one: which", name in error.message, True)
permissions = ["cloudfunctions.functions.get", "cloudfunctions.functions.delete"]
request = iam_policy_pb2.TestIamPermissionsRequest(resource=name, permissions=permissions)
check("permissions of the owner", list(functions.test_iam_permissions(request).permissions), permissions)
check("permissions of a viewer", list(viewer.test_iam_permissions(request).permissions), permissions[:1])
answer = requests.post(created.url, json={"name": "a"}, timeout=60)
check("call: it is open", (answer.status_code, bool(answer.text)), (200, True))

for number in range(2):
    create(uploaded(component()), id=f"other_{number}").result(timeout=60)
request = functions_v2.ListFunctionsRequest(parent=PARENT, page_size=2)
pages = list(functions.list_functions(request).pages)
check("list: pages", [len(page.functions) for page in pages], [2, 1])
everywhere = functions.list_functions(parent=PARENT.rpartition("/")[0] + "/-")
check("list: in every location", sorted(one.name.rpartition("/")[2] for one in everywhere), ["hello_world", "other_0", "other_1"])
request = functions_v2.ListFunctionsRequest(parent=PARENT, filter='environment="GEN_1"')
check("list: by generation", len(list(functions.list_functions(request))), 0)
runtimes = functions.list_runtimes(functions_v2.ListRuntimesRequest(parent=PARENT)).runtimes
check("runtimes", "wasi" in [runtime.name for runtime in runtimes], True)

for what, data in [("source code", archive({"main.go": "package p"})), ("no archive", b"nothing"), ("no component", archive({"a.wasm": "\0asm"}))]:
    place = uploaded(data)
    try:
        create(place, id="broken").result(timeout=60)
        check(f"deploy of {what}", "it serves", "an error")
    except GoogleAPICallError as error:
        check(f"deploy of {what}: the operation says why", len(error.message) > 10, True)
refused("deploy of nothing good: no function", 404, "NOT_FOUND", functions.get_function, name=f"{PARENT}/functions/broken")

check("a viewer reads", viewer.get_function(name=name).name, name)
refused("a viewer creates none", 403, "IAM_PERMISSION_DENIED", create, place, id="viewers", by=viewer)
refused("a viewer gets no URL to upload to", 403, "IAM_PERMISSION_DENIED", viewer.generate_upload_url, {"parent": PARENT})
refused("a viewer sets no policy", 403, "IAM_PERMISSION_DENIED", set_policy, policy_pb2.Policy(), by=viewer)
refused("a viewer deletes none", 403, "IAM_PERMISSION_DENIED", viewer.delete_function, name=name)

functions.delete_function(name=name).result(timeout=60)
refused("delete: it is gone", 404, "NOT_FOUND", functions.get_function, name=name)
check("delete: it answers no more", requests.post(created.url, json={}, timeout=60).status_code, 404)
refused("delete: again", 404, "NOT_FOUND", functions.delete_function, name=name)
refused("policy: of what is gone", 404, "NOT_FOUND", policy)
finish()
