// Functions of the first generation, by @google-cloud/functions.
import { readFileSync } from "node:fs";
import { check, finish, load, owner, parent, refused, viewer } from "./checks.mjs";

const functions = new (load("@google-cloud/functions").v1.CloudFunctionsServiceClient)(owner);
const name = `${parent}/functions/hello_node`;

async function uploaded() {
  const [{ uploadUrl }] = await functions.generateUploadUrl({ parent });
  const body = readFileSync(process.env.COMPONENT);
  const answer = await fetch(uploadUrl, { method: "PUT", headers: { "content-type": "application/zip" }, body });
  check("upload: it is taken", answer.status, 200);
  return uploadUrl;
}

async function create() {
  const wanted = { name, runtime: "wasi", entryPoint: "hello", httpsTrigger: {}, timeout: { seconds: 5 }, sourceUploadUrl: await uploaded() };
  const [operation] = await functions.createFunction({ location: parent, function: wanted });
  const [created] = await operation.promise();
  return created;
}

const created = await create();
check("create: it is there", [created.name, Number(created.timeout.seconds)], [name, 5]);
await refused("create: it is there already", 409, "ALREADY_EXISTS", create);
const [read] = await functions.getFunction({ name });
check("get: it serves", [read.httpsTrigger.url, read.status], [created.httpsTrigger.url, "ACTIVE"]);

const change = { name, description: "Greets", timeout: { seconds: 9 } };
const [update] = await functions.updateFunction({ function: change, updateMask: { paths: ["description"] } });
const [changed] = await update.promise();
check("update: what the mask names, and nothing else", [changed.description, Number(changed.timeout.seconds)], ["Greets", 5]);
const [listed] = await functions.listFunctions({ parent });
check("list", listed.map((one) => one.name), [name]);

const [before] = await functions.getIamPolicy({ resource: name });
const bindings = [{ role: "roles/cloudfunctions.invoker", members: ["allUsers"] }];
const [policy] = await functions.setIamPolicy({ resource: name, policy: { bindings, etag: before.etag } });
check("policy: it is set", policy.bindings.map(({ role, members }) => ({ role, members })), bindings);
await refused("policy: made from an old one", 409, "ABORTED", () =>
  functions.setIamPolicy({ resource: name, policy: { bindings: [], etag: before.etag } }));
const [answer] = await functions.callFunction({ name, data: '{"a":1}' });
check("call: it answers", [answer.executionId !== "", answer.result !== "", answer.error], [true, true, ""]);

const reader = new (load("@google-cloud/functions").v1.CloudFunctionsServiceClient)(viewer);
check("a viewer reads", (await reader.getFunction({ name }))[0].name, name);
await refused("a viewer calls none", 403, "IAM_PERMISSION_DENIED", () => reader.callFunction({ name, data: "{}" }));

const [deletion] = await functions.deleteFunction({ name });
await deletion.promise();
await refused("delete: it is gone", 404, "NOT_FOUND", () => functions.getFunction({ name }));
finish();
