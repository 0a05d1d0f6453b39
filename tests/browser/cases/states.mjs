// States: nothing imported yet, the server away, newer figures, records aside, bad filters, tokens that end.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dimension } from "../gen/insights/metrics/v1/query_pb.js";
import { accessibilityFaults, insights, loaded, openPage, personPage, theDemo, until, visit } from "../support.mjs";
import { number } from "./figures.mjs";

const { base, folder, tokens, api } = await theDemo();

/** Makes the page look for newer figures now, instead of once a minute. */
const look = (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

test("figures stay while the server is away, and are marked; it is found again by itself", async () => {
  const { page, close } = await personPage(base, "global_admin");
  await visit(page, base, "/customers");
  const shown = await page.locator("[data-figure=CUSTOMERS] [data-testid=value]").textContent();
  await page.route("**/insights.reporting.v1.*/**", (route) => route.abort());
  await look(page);
  await page.getByTestId("away").waitFor();
  assert.equal(await page.locator("[data-figure=CUSTOMERS] [data-testid=value]").textContent(), shown);
  await page.unroute("**/insights.reporting.v1.*/**");
  await look(page);
  await page.getByTestId("away").waitFor({ state: "detached" });
  await close();
});

test("an open page says that newer figures are in, and shows them on a click", async (context) => {
  if (!folder) return context.skip("needs a demo of its own");
  const { page, faults, close } = await personPage(base, "global_admin");
  await visit(page, base, "/customers");
  const version = () => page.locator("[data-testid=coverage]").getAttribute("data-version");
  const before = await version();
  const token = join(folder, "browser.token");
  writeFileSync(token, tokens.global_admin, { mode: 0o600 });
  const file = join(folder, "newer.ndjson");
  writeFileSync(file, JSON.stringify({ kind: "customer", customer_id: "newer", name: "Newer Ltd", country: "PT" }));
  await insights("import", "ndjson", file, "--server", base, "--token-file", token);
  await until(async () => {
    await look(page);
    return (await page.getByTestId("newer").count()) === 1;
  }, "the note");
  assert.equal(await version(), before, "figures do not change under the reader");
  await page.getByRole("button", { name: "Show them" }).click();
  await until(async () => Number(await version()) > Number(before), "the newer figures");
  await page.getByTestId("newer").waitFor({ state: "detached" });
  assert.deepEqual(faults, []);
  await close();
});

test("refused records stand in quarantine with their reasons, those that wait with what they wait for, and a badge says so", async (context) => {
  if (!folder) return context.skip("needs a demo of its own");
  const token = join(folder, "browser.token");
  writeFileSync(token, tokens.global_admin, { mode: 0o600 });
  const file = join(folder, "aside.ndjson");
  const records = [
    { kind: "subscription_state", subscription_id: "S-00001-1", effective: "2026-13-45", status: "active", seats: 3 },
    { kind: "subscription", subscription_id: "early", customer_id: "not-yet", sku_id: "nor-this" },
  ];
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join("\n"));
  await insights("import", "ndjson", file, "--server", base, "--token-file", token).catch(() => undefined);
  const { page, close } = await personPage(base, "admin_agent");
  const { rejected, waiting } = await api("admin_agent").ingestion.getFreshness({});
  const { rejections } = await api("admin_agent").ingestion.listRejections({});
  const { references } = await api("admin_agent").ingestion.listWaiting({});
  assert.ok(Number(waiting) > 0, "something waits");
  await page.getByTestId("health-badge").waitFor();
  assert.equal(number(await page.getByTestId("health-badge").textContent()), Number(rejected) + Number(waiting));
  await page.locator('nav a[href="/data-health"]').click();
  await page.getByTestId("health").waitFor();
  for (const [name, list] of [["Quarantined records", rejections], ["Waiting records", references]]) {
    const rows = page.getByRole("region", { name: `${name}, table` }).locator("tbody tr");
    if (list.length > 0) await rows.first().waitFor();
    assert.equal(await rows.count(), list.length, name);
  }
  for (const { reason } of rejections) assert.ok((await page.locator("main").textContent()).includes(reason), reason);
  if (rejections.length > 0) {
    await page.getByRole("button", { name: "Try them again" }).click();
    await page.getByText(`Still in quarantine: ${rejections.length}.`).waitFor();
  }
  await close();
});

test("an empty installation says what to do", async () => {
  const { page, close } = await personPage(base, "global_admin");
  const other = await personPage(base, "report_viewer");
  // The answer of an installation without data: the same with no first month.
  for (const { page: one } of [{ page }, other]) {
    await one.addInitScript(() => {
      const real = window.fetch;
      window.fetch = async (input, init) => {
        const answer = await real(input, init);
        if (!String(input.url ?? input).includes("Dashboard")) return answer;
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const month = new TextEncoder().encode("2024-07");
        // Field 4 of Freshness, seven bytes: skipped by naming a field that there is not.
        for (let at = 2; at < bytes.length - 7; at += 1) {
          if (bytes[at - 2] === 0x22 && bytes[at - 1] === 7 && month.every((byte, index) => bytes[at + index] === byte)) bytes[at - 2] = 0x7a;
        }
        return new Response(bytes, { status: answer.status, headers: answer.headers });
      };
    });
    await one.goto(`${base}/customers`);
    await one.getByTestId("empty-installation").waitFor();
    assert.equal(await one.locator(".card").count(), 0);
    assert.deepEqual(await accessibilityFaults(one), []);
  }
  await page.getByText("insights import product-names").waitFor();
  await other.page.getByText("Ask your company's Global admin").waitFor();
  await close();
  await other.close();
});

test("bad filters are told by the names of their fields, an unknown customer leads on", async () => {
  const { page, close } = await personPage(base, "global_admin");
  await page.goto(`${base}/customers?from=2020-01&to=2199-01`);
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.textContent(), /These filters cannot be answered.*Last month:/s);
  await page.goto(`${base}/customer?of=nobody`);
  await page.getByText("There is no such customer").waitFor();
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
  await close();
});

test("a refused token says so; one that ends says so and leads back to the same view", async () => {
  const { page, faults, close } = await openPage(base);
  await page.getByText("With a token").click();
  await page.getByLabel("Paste your token").fill("not.a.token");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("This token is not accepted").waitFor();
  await page.locator("[data-role=report_viewer]").click();
  await visit(page, base, "/customers?range=6");
  // The token is spoilt under way, as the end of its time would.
  await page.route("**/GetCustomersDashboard", (route) => route.continue({ headers: { ...route.request().headers(), authorization: "Bearer spoilt" } }));
  await page.getByText("3 months", { exact: true }).click();
  await page.getByText("Your sign-in has expired").waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.unroute("**/GetCustomersDashboard");
  await page.locator("[data-role=report_viewer]").click();
  await loaded(page);
  assert.match(page.url(), /customers\?range=3/);
  assert.deepEqual(faults, []);
  await close();
});

test("the audit shows who read what, and is itself read in pages", async () => {
  await api("sales_agent").getCustomersDashboard({}).catch(() => undefined);
  // More than a page of them.
  for (let call = 0; call < 55; call += 1) await api("sales_agent").listFilterValues({ dimension: Dimension.COUNTRY });
  const { page, close } = await personPage(base, "global_admin");
  await page.goto(`${base}/audit`);
  const rows = page.getByRole("region", { name: "Audit, table" }).locator("tbody tr");
  await rows.first().waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await until(async () => (await rows.count()) > 50, "another page");
  await page.getByLabel("Outcome").selectOption("PERMISSION_DENIED");
  const outcomes = () => rows.locator("td:nth-child(5)").allTextContents();
  await until(async () => new Set(await outcomes()).size === 1 && (await outcomes())[0] === "PERMISSION_DENIED", "denials alone");
  await close();
});
