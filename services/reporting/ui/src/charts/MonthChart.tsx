import { useMemo, useState, type ReactNode } from "react";

import { texts } from "../app/texts";
import { useView } from "../app/url";
import { Panel } from "../components/Panel";
import { Canvas } from "./Canvas";
import { FigureTable } from "./FigureTable";
import { Legend } from "./Legend";
import { MonthRange } from "./MonthRange";
import type { Series } from "./series";

type Props = {
  title: string;
  months: string[];
  series: Series[];
  /** The last month is partial. */
  partial: boolean;
  actions?: ReactNode;
  note?: ReactNode;
  /** A column was clicked; without it, the page's range becomes its month. */
  pick?: (series: string) => void;
};

/** Ranges shorter than this have nothing to zoom to. */
const ZOOMED = 4;

/** A chart over months in a section of its own. */
export function MonthChart({ title, actions, note, ...drawing }: Props) {
  const [table, setTable] = useState(false);
  const text = texts();
  const turn = (
    <button type="button" className="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
      {table ? text.showChart : text.showTable}
    </button>
  );
  return (
    <Panel title={title} note={note} actions={<>{turn}{actions}</>}>
      <Drawing title={title} table={table} {...drawing} />
    </Panel>
  );
}

/** The same without a frame. */
export function Drawing({ title, months, series, partial, pick, table }: Omit<Props, "actions" | "note"> & { table: boolean }) {
  const { change } = useView();
  const [off, setOff] = useState<ReadonlySet<string>>(() => new Set(series.flatMap((entry) => (entry.hidden ? [entry.id] : []))));
  const [zoom, setZoom] = useState<[number, number]>([0, Infinity]);
  const last = months.length - 1;
  const [from, to] = [Math.min(zoom[0], last), Math.min(zoom[1], last)];
  const shown = useMemo(() => months.slice(from, to + 1), [months, from, to]);
  const drawn = useMemo(
    () => series.filter((entry) => !off.has(entry.id)).map((entry) => ({ ...entry, values: entry.values.slice(from, to + 1) })),
    [series, off, from, to],
  );
  const text = texts();
  const toggle = (id: string) => setOff((before) => (before.has(id) ? new Set([...before].filter((one) => one !== id)) : new Set([...before, id])));
  const toMonth = (month: string) => change((next) => (next.delete("range"), next.set("from", month), next.set("to", month)));
  if (table) return <FigureTable title={title} months={months} series={series} />;
  return (
    <>
      <Legend label={text.legendOf({ title })} series={series} off={off} toggle={toggle} />
      <Canvas
        label={text.chartHint({ title })}
        months={shown}
        series={drawn}
        partial={partial && to === last}
        pick={(id, month) => (pick ? pick(id) : toMonth(month))}
      />
      {months.length >= ZOOMED && <MonthRange months={months} from={from} to={to} change={(one, other) => setZoom([one, other])} />}
    </>
  );
}
