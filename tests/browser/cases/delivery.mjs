// How the page is delivered: weight, compression, what is fetched, the policy, addresses, print.
import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";

import { personPage, theDemo, visit } from "../support.mjs";

const { base } = await theDemo();

/** A plain GET: fetch would decompress. */
const plain = (path, headers = {}) =>
  new Promise((resolve, reject) => {
    get(base + path, { headers }, (response) => {
      let bytes = 0;
      response.on("data", (chunk) => (bytes += chunk.length));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, bytes }));
    }).on("error", reject);
  });

test("the first view weighs less than 300 kB, with charts and map in chunks of their own that come after the cards", async () => {
  const { page, faults, close } = await personPage(base, "global_admin");
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${base}/customers`);
  await page.locator("[data-figure=CUSTOMERS]").waitFor();
  const engine = () => asked.filter((path) => /engine|world/.test(path));
  await page.locator(".chart[data-drawn]").first().waitFor();
  await page.locator("path[data-country]").first().waitFor();
  assert.equal(engine().length, 2);
  const before = asked.slice(0, asked.indexOf(engine()[0])).filter((path) => path.startsWith("/assets/"));
  assert.ok(asked.indexOf("/insights.reporting.v1.ReportingService/GetCustomersDashboard") < asked.indexOf(engine()[0]), "figures first");
  for (const encoding of ["br", "gzip"]) {
    let weight = (await plain("/", { accept: "text/html" })).bytes;
    for (const path of before) {
      const answer = await plain(path, { "accept-encoding": encoding });
      assert.equal(answer.headers["content-encoding"], encoding, path);
      assert.equal(answer.headers["cache-control"], "public, max-age=31536000, immutable", path);
      weight += answer.bytes;
    }
    assert.ok(weight < 300_000, `${weight} bytes of ${encoding}`);
  }
  assert.deepEqual(faults, []);
  await close();
});

test("the policy lets the page load and call nothing but its own origin, on every address", async () => {
  for (const [path, status] of [["/", 200], ["/customers", 200], ["/customer?of=x", 200], ["/audit", 200], ["/customers/", 404], ["/nope", 404]]) {
    const answer = await plain(path, { accept: "text/html" });
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers["content-type"], "text/html; charset=utf-8", path);
    const policy = answer.headers["content-security-policy"];
    assert.ok(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self';") && !policy.includes("unsafe"), policy);
    assert.ok(policy.includes("connect-src 'self';") && policy.includes("frame-ancestors 'none'"), policy);
  }
});

test("an unknown address leads on", async () => {
  const { page, close } = await personPage(base, "report_viewer");
  const answer = await page.goto(`${base}/Customers/nowhere?range=3`);
  assert.equal(answer.status(), 404);
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await page.locator("[data-testid=way-on]").getByRole("link", { name: "Customers" }).click();
  await page.waitForURL(/\/customers\?range=3/);
  await close();
});

test("print shows the figures on white and nothing that is pressed", async () => {
  const { page, close } = await personPage(base, "global_admin", { colorScheme: "dark" });
  await visit(page, base, "/customers");
  await page.locator(".chart[data-drawn]").first().waitFor();
  await page.emulateMedia({ media: "print" });
  for (const gone of ["nav", ".filter-fields", ".panel-actions", ".month-range"]) assert.ok(!(await page.locator(gone).first().isVisible()), gone);
  assert.ok(await page.locator("[data-figure=CUSTOMERS]").isVisible());
  assert.match(await page.locator(".print-only").textContent(), /demo · June 21, 2026/);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  const pdf = await page.pdf({ preferCSSPageSize: true });
  const sheets = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  assert.ok(sheets <= 4, `${sheets} sheets`);
  await close();
});
