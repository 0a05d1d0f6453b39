// Writes src/gen/world.json: the outline of each country as an SVG path, by ISO 3166-1 alpha-2 code, in the Equal Earth projection.
// Shapes are coarse; a country that the coarse map leaves out is taken from the finer one.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { feature } from "topojson-client";

const ui = join(dirname(fileURLToPath(import.meta.url)), "..");
const { numericToAlpha2 } = createRequire(import.meta.url)("i18n-iso-countries");
const WIDTH = 1000;
const HEIGHT = 450;
/** Areas that the map names and ISO 3166-1 does not. */
const UNNUMBERED = { Kosovo: "XK", "N. Cyprus": "CY", Somaliland: "SO" };

const code = ({ id, properties }) => numericToAlpha2(id ?? "") ?? UNNUMBERED[properties.name];
const countries = (file) => {
  const topology = JSON.parse(readFileSync(join(ui, "node_modules/world-atlas", file), "utf8"));
  return feature(topology, topology.objects.countries).features;
};

function projected([longitude, latitude]) {
  const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796];
  const theta = Math.asin((Math.sqrt(3) / 2) * Math.sin((latitude * Math.PI) / 180));
  const t2 = theta ** 2;
  const t6 = t2 ** 3;
  const x = (2 * Math.sqrt(3) * ((longitude * Math.PI) / 180) * Math.cos(theta)) / (3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1));
  const y = theta * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1);
  const scale = WIDTH / 5.42;
  return [WIDTH / 2 + x * scale, 245 - y * scale];
}

const rings = ({ type, coordinates }) => (type === "Polygon" ? coordinates : coordinates.flat());

/** A ring that crosses the edge of the map goes on beyond it, instead of back across the whole map. */
const unbroken = (ring) =>
  ring.some(([longitude], index) => index > 0 && Math.abs(longitude - ring[index - 1][0]) > 180)
    ? ring.map(([longitude, latitude]) => [longitude < 0 ? longitude + 360 : longitude, latitude])
    : ring;

function path(geometry, digits) {
  return rings(geometry)
    .map(unbroken)
    .map((ring) => {
      const points = ring.map(projected).map((point) => point.map((part) => part.toFixed(digits)).join(" "));
      const kept = points.filter((point, index) => point !== points[index - 1]);
      return `M${kept.join("L")}Z`;
    })
    .join("");
}

const shapes = {};
for (const [file, digits] of [["countries-110m.json", 1], ["countries-50m.json", 2]]) {
  const before = new Set(Object.keys(shapes));
  for (const country of countries(file)) {
    const name = code(country);
    if (!name || name === "AQ" || before.has(name)) continue;
    shapes[name] = (shapes[name] ?? "") + path(country.geometry, digits);
  }
}
mkdirSync(join(ui, "src/gen"), { recursive: true });
const sorted = Object.fromEntries(Object.entries(shapes).sort(([one], [next]) => (one < next ? -1 : 1)));
writeFileSync(join(ui, "src/gen/world.json"), JSON.stringify({ width: WIDTH, height: HEIGHT, shapes: sorted }));
