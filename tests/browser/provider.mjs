// An identity provider (oidc-provider) that signs one person in without asking, and a server of the product that believes it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SignJWT, exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

import { freePort } from "./support.mjs";

const RESOURCE = "urn:insights";
/** Renewed a minute before its end, so a few seconds after it begins. */
const TOKEN_SECONDS = 63;

/** A key pair, with its public half as a set of keys. */
async function keys() {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: "one", alg: "RS256", use: "sig" };
  return { privateKey, private: { keys: [jwk] }, public: { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" }] } };
}

function provide(issuer, page, jwks) {
  return new Provider(issuer, {
    jwks,
    clients: [
      {
        client_id: "page",
        token_endpoint_auth_method: "none",
        redirect_uris: [`${page}/signed-in`],
        post_logout_redirect_uris: [`${page}/`],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    claims: { openid: ["sub"] },
    scopes: ["openid", "offline_access"],
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    ttl: { AccessToken: TOKEN_SECONDS, Session: 3600, Grant: 3600, RefreshToken: 3600, IdToken: 3600, Interaction: 600 },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "", audience: "insights", accessTokenFormat: "jwt", accessTokenTTL: TOKEN_SECONDS }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = `<!doctype html><html><body>${form}<script>document.forms[0].insertAdjacentHTML("beforeend", '<input type="hidden" name="logout" value="yes">'); document.forms[0].submit();</script></body></html>`;
        },
      },
    },
    extraTokenClaims: () => ({ partner: "contoso", roles: ["global_admin"] }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: ["a test"] },
  });
}

/** Signs the one person in, and gives the page what it asks for. */
async function interact(provider, request, response, refuse) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (refuse()) return provider.interactionFinished(request, response, { error: "access_denied" });
  if (prompt.name === "login") return provider.interactionFinished(request, response, { login: { accountId: "ada" } });
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope(RESOURCE, "");
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

/** Starts both. `refuse` decides whether the provider turns the person away. */
export async function startSignIn(refuse) {
  const folder = mkdtempSync(join(tmpdir(), "insights-sign-in-"));
  const [port, providerPort] = [await freePort(), await freePort()];
  const [base, issuer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${providerPort}`];
  const [people, services] = [await keys(), await keys()];
  const provider = provide(issuer, base, people.private);
  const server = createServer((request, response) => {
    const act = request.url.startsWith("/interaction/") ? interact(provider, request, response, refuse) : provider.callback()(request, response);
    Promise.resolve(act).catch((fault) => response.writeHead(500).end(String(fault)));
  }).listen(providerPort, "127.0.0.1");
  await once(server, "listening");
  const file = (name, text) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const service = await new SignJWT({}).setProtectedHeader({ alg: "RS256", kid: "one", typ: "svc+jwt" }).setIssuer("https://services.test").setAudience("insights-services").setSubject("insights").setIssuedAt().setNotBefore("0s").setExpirationTime("1h").sign(services.privateKey);
  const config = file(
    "insights.toml",
    `service_token_file = "${file("service.jwt", service)}"
[access.people]
issuer = "${issuer}"
audience = "insights"
keys = "${issuer}/jwks"
require_nbf = false
[access.services]
issuer = "https://services.test"
audience = "insights-services"
keys = "${file("services.json", JSON.stringify(services.public))}"
subjects = ["insights"]
[sign_in]
issuer = "${issuer}"
client_id = "page"
scope = "openid offline_access"
resource = "${RESOURCE}"
`,
  );
  const child = spawn(process.env.INSIGHTS, ["serve", "--config", config, "--data-dir", join(folder, "data"), "--port", String(port)], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`${base}/sign-in.json`).catch(() => undefined);
    if (answer?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { base, issuer, stop };
}
