// Sign-in at an identity provider: authorization code with PKCE, renewal, tabs, reload, sign-out, and how it fails.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startSignIn } from "../provider.mjs";
import { openPage, until } from "../support.mjs";

let there;
let refused = false;

before(async () => {
  there = await startSignIn(() => refused);
});
after(() => there?.stop());

const open = () => openPage(there.base, { now: null, from: [there.issuer] });
const button = (page) => page.getByRole("button", { name: /^Sign in at 127\.0\.0\.1/ });

test("the code flow with PKCE signs in and leads back to the view; nothing secret is stored or sent elsewhere", async () => {
  const { page, context, faults, close } = await open();
  const asked = [];
  page.on("request", (request) => asked.push(request));
  await page.goto(`${there.base}/glossary?term=2-active`);
  await button(page).click();
  await page.getByTestId("who").waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, "/glossary?term=2-active");
  const authorised = asked.map((request) => new URL(request.url())).find((url) => url.pathname === "/auth" && url.searchParams.get("prompt") !== "none");
  assert.equal(authorised.searchParams.get("code_challenge_method"), "S256");
  assert.equal(authorised.searchParams.get("response_type"), "code");
  assert.ok(authorised.searchParams.get("state").length >= 32 && authorised.searchParams.get("nonce").length >= 32);
  const exchanged = asked.find((request) => request.url().endsWith("/token"));
  const body = new URLSearchParams(exchanged.postData());
  assert.ok(body.get("code_verifier").length >= 43 && !body.has("client_secret"));
  const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  assert.ok(!/ey[A-Za-z0-9_-]{20}/.test(stored), stored);

  const other = await context.newPage();
  await other.goto(`${there.base}/downloads`);
  await other.getByTestId("who").waitFor();

  // The session is renewed by itself before it ends, in one tab: a refresh token used twice would end the grant.
  const renewals = [];
  context.on("request", (request) => request.url().endsWith("/token") && renewals.push(new URLSearchParams(request.postData()).get("refresh_token")));
  await until(async () => renewals.length >= 2, "two renewals");
  assert.equal(new Set(renewals).size, renewals.length);
  assert.equal(await page.getByTestId("who").count(), 1);

  // A reload finds the person signed in at the provider.
  await other.close();
  await page.reload();
  await page.getByTestId("who").waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL((url) => url.origin === there.base && url.pathname === "/");
  await button(page).waitFor();
  // There are no people of a demo.
  assert.deepEqual(faults.filter((fault) => !fault.includes("404")), []);
  await close();
});

test("a real empty installation says what to do", async () => {
  const { page, close } = await open();
  await button(page).click();
  await page.getByTestId("empty-installation").waitFor();
  await page.getByText("insights import product-names").waitFor();
  await close();
});

test("who is turned away, or comes back with an answer nobody asked for, is told so", async () => {
  const { page, close } = await open();
  refused = true;
  await button(page).click();
  await page.getByText("The identity provider did not sign you in").waitFor();
  refused = false;
  await page.goto(`${there.base}/signed-in?code=stolen&state=made-up`);
  await page.getByText("The identity provider did not sign you in").waitFor();
  assert.equal(new URL(page.url()).pathname, "/");
  assert.equal(await page.getByTestId("who").count(), 0);
  await close();
});

test("a provider that cannot be reached says so", async () => {
  const { page, close } = await open();
  await button(page).waitFor();
  await page.route("**/.well-known/openid-configuration", (route) => route.abort());
  await button(page).click();
  await page.getByText("The identity provider cannot be reached now").waitFor();
  await close();
});
