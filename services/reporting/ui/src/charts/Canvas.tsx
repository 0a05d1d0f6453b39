import type { EChartsType } from "echarts/core";
import { useEffect, useRef } from "react";

import { optionsOf } from "./options";
import type { Series } from "./series";

type Props = {
  label: string;
  months: string[];
  series: Series[];
  partial: boolean;
  /** A column or a point was clicked. */
  pick?: ((series: string, month: string) => void) | undefined;
};

/** The drawing itself; its figures stand in a table for those who cannot see it. */
export function Canvas({ label, months, series, partial, pick }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const picked = useRef(pick);
  picked.current = pick;
  useEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    let gone = false;
    const draw = () => chart.current?.setOption(optionsOf(element, months, series, partial), { notMerge: true });
    const observer = new ResizeObserver(() => chart.current?.resize());
    const begin = async () => {
      const { init } = await import("./engine");
      if (gone) return;
      if (!chart.current) {
        chart.current = init(element, null, { renderer: "canvas" });
        observer.observe(element);
      }
      chart.current.off("click");
      chart.current.on("click", (event) => {
        const entry = event as { seriesId?: string; dataIndex?: number };
        picked.current?.(entry.seriesId ?? "", months[entry.dataIndex ?? 0] ?? "");
      });
      draw();
      element.dataset["drawn"] = "true";
    };
    void begin();
    window.addEventListener("themechange", draw);
    return () => {
      gone = true;
      window.removeEventListener("themechange", draw);
      observer.disconnect();
    };
  }, [months, series, partial]);
  useEffect(
    () => () => {
      chart.current?.dispose();
      chart.current = undefined;
    },
    [],
  );
  return <div ref={holder} className="chart" role="img" aria-label={label} />;
}
