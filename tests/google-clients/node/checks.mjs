// What the scripts beside this one have in common: where the host is, who calls, and checks that print a line each.
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const installed = createRequire(`${process.env.HOST_GOOGLE_CLIENTS}/`);

export const load = (name) => installed(name);
export const project = "my-project";
export const parent = `projects/${project}/locations/us-central1`;
export const account = `caller@${project}.iam.gserviceaccount.com`;

const { OAuth2Client } = load("google-auth-library");
const endpoint = new URL(process.env.CONTROL_PLANE);

// The options of a client that talks REST with the host, as whoever has this token.
function options(token) {
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: token });
  const { hostname: apiEndpoint, port } = endpoint;
  return { fallback: true, protocol: "http", apiEndpoint, port: Number(port), projectId: project, authClient };
}

export const owner = options(process.env.OWNER_TOKEN);
export const viewer = options(process.env.VIEWER_TOKEN);

const failures = [];

// Prints whether what was found is what was expected.
export function check(name, found, expected = true) {
  if (isDeepStrictEqual(found, expected)) return console.log("ok", name);
  console.log(`FAIL ${name}: ${JSON.stringify(found)}; expected ${JSON.stringify(expected)}`);
  failures.push(name);
}

// That a call is refused with this HTTP status, and the status of this name.
export async function refused(name, code, status, call) {
  try {
    await call();
    check(name, "no error", status);
  } catch (error) {
    check(name, [error.code, String(error.message).includes(status)], [code, true]);
    if (failures.at(-1) === name) console.log(error);
  }
}

// Ends the script; with an error if a check has failed.
export function finish() {
  if (failures.length) console.log(`${failures.length} failed: ${failures.join(", ")}`);
  process.exit(failures.length ? 1 : 0);
}
