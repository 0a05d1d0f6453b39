// Files: of a section and of a report, with progress, checksum, resume, stop and removal; each number the page's.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { personPage, theDemo, until, visit } from "../support.mjs";
import { number } from "./figures.mjs";

const { base, api } = await theDemo();
let opened;
let page;

before(async () => {
  opened = await personPage(base, "global_admin", { acceptDownloads: true });
  page = opened.page;
});
after(() => opened.close());

const lines = (text) => text.trim().split("\r\n").map((line) => line.split(","));

test("a section exports exactly what it shows, in two clicks", async () => {
  await visit(page, base, "/customers?range=3");
  await page.getByRole("button", { name: "Export: Geographical spread of your customers" }).click();
  const arriving = page.waitForEvent("download");
  await page.locator(".popover:popover-open").getByRole("button", { name: "CSV" }).first().click();
  const download = await arriving;
  const [head, ...rows] = lines(await readFile(await download.path(), "utf8"));
  const at = (name) => head.indexOf(name);
  const last = rows.filter((row) => row[at("month")] === "2026-06");
  const shown = page.getByRole("region", { name: "Geographical spread of your customers, table" }).locator("tbody tr");
  await page.keyboard.press("Escape");
  const more = page.getByRole("region", { name: "Geographical spread of your customers", exact: true }).getByRole("button", { name: /Show all/ });
  if ((await more.count()) > 0) await more.click();
  const onPage = (await shown.evaluateAll((all) => all.map((row) => row.cells[1].querySelector(".figure").firstChild.textContent))).map(number);
  assert.deepEqual(onPage, last.map((row) => Number(row[at("customers")])).sort((one, next) => next - one));
  await page.locator("[data-testid=toast][data-state=DONE]").getByRole("link").click();
  await page.waitForURL(/downloads/);
  await page.locator(".export[data-state=DONE]").first().waitFor();
});

test("a report is ordered, seen before, followed, downloaded with its checksum and removed", async () => {
  await page.goto(`${base}/downloads`);
  await page.getByLabel("Report").selectOption({ label: "Licence usage" });
  await page.getByLabel("Range").selectOption("3");
  await page.getByRole("button", { name: "First rows" }).click();
  const rows = page.getByRole("region", { name: "First rows" }).locator("tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), 15);
  const before = (await api("global_admin").listExports({})).exports.length;
  await page.getByRole("button", { name: "Write the file" }).click();
  await until(async () => (await api("global_admin").listExports({})).exports.length === before + 1, "the order");
  const item = page.locator(".export").first();
  await until(async () => (await page.locator(".export").count()) === before + 1, "it stands in the list");
  await page.locator(".export").first().locator(".checksum").waitFor();
  const [made] = (await api("global_admin").listExports({})).exports;
  assert.equal(await item.getAttribute("data-export"), made.id);
  const arriving = page.waitForEvent("download");
  await item.getByRole("button", { name: "Download" }).click();
  const download = await arriving;
  assert.equal(download.suggestedFilename(), made.fileName);
  const body = await readFile(await download.path());
  assert.equal(createHash("sha256").update(body).digest("hex"), made.sha256);
  assert.equal(await item.locator(".checksum code").textContent(), made.sha256);
  await item.getByText("Downloaded; the checksum is right.").waitFor();
  await item.getByRole("button", { name: "Remove" }).click();
  await until(async () => (await page.locator(".export").count()) === before, "it is gone");
});

test("a download that breaks off goes on where it broke, and a file that is another is refused", async () => {
  await page.goto(`${base}/downloads`);
  const item = page.locator(".export[data-state=DONE]").first();
  await item.waitFor();
  let broken = 0;
  await page.route("**/exports/**", (route) => (broken++ === 0 ? route.abort() : route.continue()));
  await item.getByRole("button", { name: "Download" }).click();
  await item.getByTestId("fetched").waitFor();
  assert.ok(broken >= 2, `${broken} requests`);
  await page.unroute("**/exports/**");
  await page.route("**/exports/**", async (route) => {
    const answer = await route.fetch();
    const body = await answer.body();
    body[0] ^= 1;
    await route.fulfill({ response: answer, body });
  });
  await item.getByRole("button", { name: "Download" }).click();
  await item.getByText("The download broke off").waitFor();
  await page.unroute("**/exports/**");
});

test("roles are offered the reports they may have", async () => {
  const expected = { sales_agent: ["Office usage", "Dynamics usage", "Licence usage"], report_viewer: ["Customers", "Subscriptions", "Dynamics usage", "Licence usage"] };
  for (const [role, reports] of Object.entries(expected)) {
    const other = await personPage(base, role);
    await other.page.goto(`${base}/downloads`);
    await other.page.getByText("Jul 2025 – Jun 2026").waitFor();
    assert.deepEqual(await other.page.getByLabel("Report").locator("option").allTextContents(), reports, role);
    await other.close();
  }
});

test("nothing went wrong in the browser meanwhile", () =>
  assert.deepEqual(opened.faults.filter((fault) => !fault.includes("ERR_FAILED")), []));
