// What ECharts is told to draw.
import type { EChartsCoreOption } from "echarts/core";

import { decimal, month, NO_FIGURE, shortMonth } from "../app/format";
import { COLOURS, type Series } from "./series";

type Axis = Record<string, unknown>;

/** A value as it is written: in percent, or with a minus where it stands below zero. */
export const written = (series: Series, value: number | null): string =>
  value === null ? NO_FIGURE : (series.below && value !== 0 ? "−" : "") + decimal(value) + (series.percent ? " %" : "");

/** Options of a chart over months; what stands below zero gets the lower part and a scale of its own. */
export function optionsOf(element: HTMLElement, months: string[], series: Series[], partial: boolean): EChartsCoreOption {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const palette = Array.from({ length: COLOURS }, (_, index) => colour(`--series-${index + 1}`));
  const text = { color: colour("--muted"), fontFamily: style.fontFamily, fontSize: 12 };
  const rule = { lineStyle: { color: colour("--line") } };
  const split = series.some((entry) => entry.below);
  const percents = series.some((entry) => entry.percent);
  const onlyPercents = series.every((entry) => entry.percent);
  const edges = { left: 4, right: percents && !onlyPercents ? 4 : 10, outerBoundsMode: "same", outerBoundsContain: "axisLabel" };
  const names = months.map((name, index) => shortMonth(name) + (partial && index === months.length - 1 ? " *" : ""));
  const xAxis = (at: number): Axis => ({
    type: "category",
    gridIndex: at,
    data: names,
    position: "bottom",
    axisLabel: { ...text, show: !split || at === 1, interval: "auto", hideOverlap: true, showMaxLabel: true },
    axisLine: { ...rule, onZero: false },
    axisTick: { show: false },
  });
  const value: Axis = { type: "value", min: lowest, splitLine: rule, axisLabel: { ...text, formatter: signed }, minInterval: 1, splitNumber: 4 };
  const percent: Axis = { ...value, min: 0, position: onlyPercents ? "left" : "right", axisLabel: { ...text, formatter: "{value} %" }, splitLine: onlyPercents ? rule : { show: false } };
  const lower: Axis = { ...value, gridIndex: 1, inverse: true, min: 0, splitNumber: 2, axisLabel: { ...text, formatter: (at: number) => (at === 0 ? "" : `−${decimal(at)}`) } };
  return {
    color: palette,
    animation: false,
    textStyle: text,
    grid: split ? [{ ...edges, top: 10, bottom: "36%" }, { ...edges, top: "66%", bottom: 4 }] : [{ ...edges, top: 10, bottom: 4 }],
    tooltip: tooltip(months, series, text, colour),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    xAxis: split ? [xAxis(0), xAxis(1)] : [xAxis(0)],
    yAxis: split ? [value, lower] : [{ ...value, show: !onlyPercents }, { ...percent, show: percents }],
    series: series.map((entry) => drawn(entry, palette[(entry.colour - 1) % COLOURS])),
  };
}

/** Scales of counts begin at zero, unless something lies below it. */
const lowest = ({ min }: { min: number }) => Math.min(0, min);

const signed = (value: number): string => (value < 0 ? `−${decimal(-value)}` : decimal(value));

/** Tooltips are drawn on the canvas, so that names are never parsed as markup and need no inline style. */
function tooltip(months: string[], series: Series[], text: object, colour: (name: string) => string): object {
  return {
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    axisPointer: { type: "shadow", shadowStyle: { color: colour("--hover") } },
    backgroundColor: colour("--raised"),
    borderColor: colour("--line"),
    textStyle: { ...text, color: colour("--text") },
    formatter: (points: { dataIndex: number }[]) => {
      const at = points[0]?.dataIndex ?? 0;
      const lines = series.map((entry) => `${entry.name}: ${written(entry, entry.values[at] ?? null)}`);
      return [month(months[at] ?? ""), ...lines].join("\n");
    },
  };
}

function drawn(entry: Series, colour: string | undefined): object {
  const axis = entry.below ? { xAxisIndex: 1, yAxisIndex: 1 } : { yAxisIndex: entry.percent ? 1 : 0 };
  const shared = { id: entry.id, name: entry.name, data: entry.values, itemStyle: { color: colour }, cursor: "pointer", ...axis };
  if (entry.kind === "bar") return { ...shared, type: "bar", barMaxWidth: 34, ...(entry.stack ? { stack: entry.stack } : {}) };
  const line = { width: 2.5, color: colour, ...(entry.dashed ? { type: "dashed", opacity: 0.75 } : {}) };
  return { ...shared, type: "line", symbol: "circle", symbolSize: entry.dashed ? 0 : 6, showAllSymbol: true, lineStyle: line };
}
