// Names that are markup, long, or written from right to left; two customers of one name.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { insights, personPage, theDemo, tooWide, until, visit } from "../support.mjs";

const { base, folder, tokens } = await theDemo();

const MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
const LONG = `Very ${"long".repeat(60)} name`;
const OVERRIDE = "Evil \u202Egnp.exe Ltd";
const NAMES = { markup: MARKUP, long: LONG, override: OVERRIDE, twin1: "Twin Ltd", twin2: "Twin Ltd" };

test("hostile names are shown and never interpreted, and burst nothing", async (context) => {
  if (!folder) return context.skip("needs a demo of its own");
  const records = [
    { kind: "sku", sku_id: "markup", name: MARKUP, product: MARKUP, services: ["Exchange"] },
    { kind: "location", location_id: "markup", name: MARKUP, country: "BR" },
    ...Object.entries(NAMES).flatMap(([id, name]) => [
      { kind: "customer", customer_id: id, name, country: "BR", segment: MARKUP },
      { kind: "subscription", subscription_id: `s-${id}`, customer_id: id, sku_id: "markup", seller: "own" },
      { kind: "subscription_state", subscription_id: `s-${id}`, effective: "2026-01-01", status: "active", seats: 3 },
    ]),
  ];
  const file = join(folder, "hostile.ndjson");
  const token = join(folder, "browser.token");
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join("\n"));
  writeFileSync(token, tokens.global_admin, { mode: 0o600 });
  await insights("import", "ndjson", file, "--server", base, "--token-file", token);
  for (const width of [1440, 390]) {
    const { page, faults, close } = await personPage(base, "global_admin", { viewport: { width, height: 844 } });
    const own = Object.keys(NAMES).map((id) => `customer=${id}`).join("&");
    for (const path of [`/customers?${own}`, `/licence-adoption?${own}`, `/dynamics-usage?show=${encodeURIComponent(MARKUP)}`, "/customer?of=markup", "/customer?of=long"]) {
      await visit(page, base, path);
      assert.equal(await tooWide(page), 0, `${path} at ${width}`);
      assert.equal(await page.locator("img[src=x], script:not([src])").count(), 0, path);
      assert.ok(!(await page.title()).includes("owned"));
    }
    await visit(page, base, "/customer?of=markup");
    await until(async () => (await page.locator("h1").textContent()) === MARKUP, "the name as it is");
    await visit(page, base, "/customer?of=override");
    assert.equal(await page.locator("h1 bdi").textContent(), OVERRIDE);
    for (const id of ["twin1", "twin2"]) {
      await visit(page, base, `/customer?of=${id}`);
      assert.ok((await page.getByTestId("customer-id").textContent()).includes(id), "the id tells twins apart");
    }
    assert.deepEqual(faults, []);
    await close();
  }
});
