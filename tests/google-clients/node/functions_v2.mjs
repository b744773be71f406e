// Functions of the second generation, by @google-cloud/functions.
import { readFileSync } from "node:fs";
import { account, check, finish, load, owner, parent, refused, viewer } from "./checks.mjs";

const functions = new (load("@google-cloud/functions").v2.FunctionServiceClient)(owner);
const name = `${parent}/functions/hello_node`;

async function uploaded() {
  const [{ uploadUrl, storageSource }] = await functions.generateUploadUrl({ parent });
  // A component may come as it is, too.
  const body = readFileSync(process.env.COMPONENT);
  const answer = await fetch(uploadUrl, { method: "PUT", headers: { "content-type": "application/zip" }, body });
  check("upload: it is taken", answer.status, 200);
  return storageSource;
}

const wanted = (storageSource) => ({
  name,
  environment: "GEN_2",
  labels: { team: "a" },
  buildConfig: { runtime: "wasi", entryPoint: "hello", source: { storageSource } },
  serviceConfig: { environmentVariables: { A: "b" }, availableMemory: "64Mi", timeoutSeconds: 5, serviceAccountEmail: account },
});

async function create(functionId) {
  const [operation] = await functions.createFunction({ parent, functionId, function: wanted(await uploaded()) });
  const [created] = await operation.promise();
  return created;
}

const created = await create("hello_node");
check("create: it is there", [created.name, created.labels], [name, { team: "a" }]);
check("create: the settings", [created.serviceConfig.availableMemory, created.serviceConfig.timeoutSeconds], ["64Mi", 5]);
await refused("create: it is there already", 409, "ALREADY_EXISTS", () => create("hello_node"));
const [read] = await functions.getFunction({ name });
check("get: it serves", [read.url, read.environment, read.state], [created.url, "GEN_2", "ACTIVE"]);

const change = { name, description: "no", serviceConfig: { environmentVariables: { C: "d" } } };
const [update] = await functions.updateFunction({ function: change, updateMask: { paths: ["service_config.environment_variables"] } });
const [changed] = await update.promise();
check("update: what the mask names", changed.serviceConfig.environmentVariables, { C: "d" });
check("update: nothing else", [changed.description, changed.serviceConfig.timeoutSeconds], ["", 5]);

await create("other_node");
const sizes = [];
for (let pageToken = ""; pageToken !== undefined;) {
  const [page, , answer] = await functions.listFunctions({ parent, pageSize: 1, pageToken }, { autoPaginate: false });
  sizes.push(page.length);
  pageToken = answer.nextPageToken || undefined;
}
check("list: pages", sizes, [1, 1]);
const [{ runtimes }] = await functions.listRuntimes({ parent });
check("runtimes", runtimes.some((runtime) => runtime.name === "wasi"));

const reader = new (load("@google-cloud/functions").v2.FunctionServiceClient)(viewer);
check("a viewer reads", (await reader.getFunction({ name }))[0].name, name);
await refused("a viewer deletes none", 403, "IAM_PERMISSION_DENIED", () => reader.deleteFunction({ name }));

const [deletion] = await functions.deleteFunction({ name });
await deletion.promise();
await refused("delete: it is gone", 404, "NOT_FOUND", () => functions.getFunction({ name }));
finish();
