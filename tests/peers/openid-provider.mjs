// A real OpenID provider, npm's `oidc-provider`, on the port and with the keys in the file that are named. `rotate` has
// it sign with a new key and keep the last one. Its grant `mint` answers with an ID token of `ada` for `the-client`.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const peers = createRequire(`${process.env.HOST_PEERS}/`);
const { Provider } = await import(pathToFileURL(peers.resolve("oidc-provider")));

const [port, file, rotate] = process.argv.slice(2);

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

let keys = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [newKey()];
if (rotate) keys = [newKey(), keys[0]];
writeFileSync(file, JSON.stringify(keys));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  clients: [{
    client_id: "the-client",
    client_secret: "not-a-secret",
    grant_types: ["mint"],
    response_types: [],
    redirect_uris: [],
    id_token_signed_response_alg: "RS256",
  }],
});
provider.registerGrantType("mint", async (ctx) => {
  const { IdToken } = ctx.oidc.provider;
  const token = new IdToken({ sub: "ada" }, { ctx });
  token.scope = "openid";
  ctx.body = { id_token: await token.issue({ use: "idtoken" }) };
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
