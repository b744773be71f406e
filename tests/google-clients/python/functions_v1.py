"""Functions of the first generation, by google-cloud-functions."""

from google.cloud import functions_v1, functions_v2
from google.cloud.functions_v1 import CloudFunction, CloudFunctionStatus, HttpsTrigger
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import duration_pb2, field_mask_pb2

from checks import ACCOUNT, PARENT, VIEWER, check, client, component, finish, refused, upload

functions = client(functions_v1.CloudFunctionsServiceClient)
viewer = client(functions_v1.CloudFunctionsServiceClient, VIEWER)
second = client(functions_v2.FunctionServiceClient)
name = f"{PARENT}/functions/hello_world"


def uploaded():
    url = functions.generate_upload_url(request={"parent": PARENT}).upload_url
    check("upload: it is taken", upload(url, component()).status_code, 200)
    return url


def function(url, name=name, **fields):
    return CloudFunction(
        name=name,
        runtime="wasi",
        entry_point="hello_world",
        timeout=duration_pb2.Duration(seconds=5),
        available_memory_mb=64,
        service_account_email=ACCOUNT,
        source_upload_url=url,
        environment_variables={"MODE": "slow"},
        max_instances=3,
        https_trigger=HttpsTrigger(security_level=HttpsTrigger.SecurityLevel.SECURE_OPTIONAL),
        **fields,
    )


def update(changed, *paths):
    request = functions_v1.UpdateFunctionRequest(function=changed, update_mask=field_mask_pb2.FieldMask(paths=paths))
    return functions.update_function(request).result(timeout=60)


def set_policy(policy):
    return functions.set_iam_policy(iam_policy_pb2.SetIamPolicyRequest(resource=name, policy=policy))


created = functions.create_function(location=PARENT, function=function(uploaded(), labels={"a": "b"})).result(timeout=60)
check("create: it serves", (created.name, created.status), (name, CloudFunctionStatus.ACTIVE))
check("create: the settings", (created.timeout.seconds, created.available_memory_mb, created.max_instances,
                               created.service_account_email, dict(created.environment_variables), dict(created.labels)),
      (5, 64, 3, ACCOUNT, {"MODE": "slow"}, {"a": "b"}))
check("create: where it answers", created.https_trigger.url.endswith("/hello_world"), True)
check("create: a level as a number", created.https_trigger.security_level, HttpsTrigger.SecurityLevel.SECURE_OPTIONAL)
check("get: it is the same", functions.get_function(name=name), created)
check("the second version shows it too", second.get_function(name=name).environment, functions_v2.Environment.GEN_1)
refused("create: it is there already", 409, "ALREADY_EXISTS", functions.create_function, location=PARENT, function=function(uploaded()))

refused("call: nobody may", 412, "FAILED_PRECONDITION", functions.call_function, name=name, data='{"name": "call"}')
first = functions.get_iam_policy(iam_policy_pb2.GetIamPolicyRequest(resource=name))
bindings = [policy_pb2.Binding(role="roles/cloudfunctions.invoker", members=[f"serviceAccount:{ACCOUNT}"])]
check("policy: it is set", set_policy(policy_pb2.Policy(etag=first.etag, bindings=bindings)).bindings, bindings)
refused("policy: made from an old one", 409, "ABORTED", set_policy, policy_pb2.Policy(etag=first.etag))
check("policy: the second version shows it", second.get_iam_policy(iam_policy_pb2.GetIamPolicyRequest(resource=name)).bindings, bindings)
answer = functions.call_function(name=name, data='{"name": "call"}')
check("call: it answers", (bool(answer.execution_id), bool(answer.result), answer.error), (True, True, ""))
refused("call: a function that is none", 404, "NOT_FOUND", functions.call_function, name=f"{PARENT}/functions/none", data="")
refused("a viewer calls none", 403, "IAM_PERMISSION_DENIED", viewer.call_function, name=name, data="")

changed = update(CloudFunction(name=name, environment_variables={"A": "b"}, timeout=duration_pb2.Duration(seconds=9)), "environment_variables")
check("update: what the mask names", (dict(changed.environment_variables), changed.timeout.seconds), ({"A": "b"}, 5))
changed = update(CloudFunction(name=name, source_upload_url=uploaded()), "source_upload_url")
check("update: a new source is a new version", changed.version_id > created.version_id, True)

functions.create_function(location=PARENT, function=function(uploaded(), f"{PARENT}/functions/other")).result(timeout=60)
pages = list(functions.list_functions(functions_v1.ListFunctionsRequest(parent=PARENT, page_size=1)).pages)
check("list: pages", [len(page.functions) for page in pages], [1, 1])

operation = functions.delete_function(name=name)
operation.result(timeout=60)
polled = functions.get_operation({"name": operation.operation.name})
check("delete: the operation is done", polled.done, True)
refused("delete: it is gone", 404, "NOT_FOUND", functions.get_function, name=name)
refused("a viewer deletes none", 403, "IAM_PERMISSION_DENIED", viewer.delete_function, name=f"{PARENT}/functions/other")
finish()
