// Judges tokens with npm's `jose`: reads `{jwk, algorithm, token, issuer, audience, now, leeway}`, one a line, and says
// of each in turn whether it is accepted.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const peers = createRequire(`${process.env.HOST_PEERS}/`);
const { importJWK, jwtVerify } = await import(pathToFileURL(peers.resolve("jose")));

const keys = new Map();

async function accepts({ jwk, algorithm, token, issuer, audience, now, leeway }) {
  const name = JSON.stringify(jwk);
  if (!keys.has(name)) keys.set(name, await importJWK(jwk, algorithm));
  const options = {
    algorithms: [algorithm],
    issuer,
    audience,
    currentDate: new Date(now * 1000),
    clockTolerance: leeway,
    requiredClaims: ["iss", "aud", "sub", "exp"],
  };
  return jwtVerify(token, keys.get(name), options).then(() => true, () => false);
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await accepts(JSON.parse(line))}\n`);
}
