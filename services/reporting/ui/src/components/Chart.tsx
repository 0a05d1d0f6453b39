import { BarChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef, useState } from "react";

import { decimal, month, NO_FIGURE } from "../app/format";
import { texts } from "../app/texts";

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, DataZoomComponent, CanvasRenderer]);

/** One series over the months of a chart. */
export type Series = {
  name: string;
  values: (number | null)[];
  kind: "bar" | "line";
  /** Series of one stack stand on each other. */
  stack?: string;
  /** Drawn below the axis. */
  below?: boolean;
  /** On the right axis, in percent. */
  percent?: boolean;
  /** Shown only when chosen in the legend. */
  hidden?: boolean;
  /** Which of the palette's colours; else in order. */
  colour?: number;
};

type Props = {
  title: string;
  months: string[];
  series: Series[];
  /** The last month is partial. */
  partial: boolean;
};

/** A chart over months, with the same figures as a table for those who cannot see it. */
export function Chart({ title, months, series, partial }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const [table, setTable] = useState(false);
  useEffect(() => {
    const element = holder.current;
    if (!element || table) return;
    const chart = echarts.init(element, null, { renderer: "canvas" });
    const draw = () => chart.setOption(optionsOf(element, months, series, partial), { notMerge: true });
    draw();
    const observer = new ResizeObserver(() => chart.resize());
    observer.observe(element);
    window.addEventListener("themechange", draw);
    return () => {
      window.removeEventListener("themechange", draw);
      observer.disconnect();
      chart.dispose();
    };
  }, [months, series, partial, table]);
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        <button type="button" className="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? texts().showChart : texts().showTable}
        </button>
      </div>
      {table ? (
        <FigureTable months={months} series={series} title={title} />
      ) : (
        <div ref={holder} className="chart" role="img" aria-label={texts().chartHint(title)} />
      )}
    </section>
  );
}

function FigureTable({ months, series, title }: Omit<Props, "partial">) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={texts().table(title)}>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts().month}</th>
            {series.map((entry) => (
              <th scope="col" className="number" key={entry.name}>
                {entry.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {months.map((text, index) => (
            <tr key={text}>
              <th scope="row">{month(text)}</th>
              {series.map((entry) => (
                <td className="number" key={entry.name}>
                  {written(entry, entry.values[index] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const written = (series: Series, value: number | null): string =>
  value === null ? NO_FIGURE : decimal(value) + (series.percent ? " %" : "");

function optionsOf(element: HTMLElement, months: string[], series: Series[], partial: boolean): echarts.EChartsCoreOption {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const palette = [1, 2, 3, 4, 5, 6].map((index) => colour(`--series-${index}`));
  const muted = colour("--muted");
  const names = months.map((text, index) => month(text) + (partial && index === months.length - 1 ? " *" : ""));
  const text = { color: muted, fontFamily: style.fontFamily, fontSize: 12 };
  const split = { lineStyle: { color: colour("--line") } };
  const format = (value: number) => decimal(Math.abs(value));
  const percents = series.some((entry) => entry.percent);
  const onlyPercents = series.every((entry) => entry.percent);
  const line = { color: colour("--line") };
  return {
    color: palette,
    animation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    textStyle: text,
    grid: { left: 8, right: 8, top: 44, bottom: months.length > 6 ? 44 : 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    legend: {
      top: 0,
      left: 0,
      textStyle: text,
      inactiveColor: colour("--inactive"),
      icon: "roundRect",
      itemWidth: 12,
      itemHeight: 12,
      selected: Object.fromEntries(series.map((entry) => [entry.name, !entry.hidden])),
    },
    tooltip: {
      trigger: "axis",
      // Tooltips are drawn on the canvas, so that names are never parsed as markup and need no inline style.
      renderMode: "richText",
      axisPointer: { type: "shadow" },
      backgroundColor: colour("--raised"),
      borderColor: colour("--line"),
      textStyle: { ...text, color: colour("--text") },
    },
    xAxis: { type: "category", data: names, axisLabel: { ...text, hideOverlap: true, showMaxLabel: true }, axisLine: { lineStyle: line }, axisTick: { show: false } },
    yAxis: [
      { type: "value", show: !onlyPercents, axisLabel: { ...text, formatter: format }, splitLine: split, minInterval: 1 },
      {
        type: "value",
        show: percents,
        position: onlyPercents ? "left" : "right",
        axisLabel: { ...text, formatter: "{value} %" },
        splitLine: onlyPercents ? split : { show: false },
        min: 0,
      },
    ],
    dataZoom:
      months.length > 6
        ? [
            {
              type: "slider",
              bottom: 6,
              height: 14,
              textStyle: text,
              borderColor: "transparent",
              backgroundColor: colour("--sunken"),
              fillerColor: colour("--slider"),
              handleStyle: { color: colour("--raised"), borderColor: muted },
              moveHandleSize: 0,
              brushSelect: false,
              showDataShadow: false,
              showDetail: false,
            },
          ]
        : [],
    series: series.map((entry, index) => seriesOf(entry, palette[(entry.colour ?? index + 1) - 1])),
  };
}

function seriesOf(entry: Series, colour: string | undefined): object {
  const shown = entry.below ? entry.values.map((value) => (value === null ? null : -value)) : entry.values;
  const shared = {
    name: entry.name,
    data: shown,
    yAxisIndex: entry.percent ? 1 : 0,
    itemStyle: { color: colour },
    tooltip: {
      valueFormatter: (value: unknown) => (typeof value === "number" ? written(entry, Math.abs(value)) : NO_FIGURE),
    },
  };
  return entry.kind === "bar"
    ? { ...shared, type: "bar", barMaxWidth: 34, ...(entry.stack ? { stack: entry.stack } : {}) }
    : { ...shared, type: "line", symbol: "circle", symbolSize: 6, lineStyle: { width: 2.5, color: colour } };
}
