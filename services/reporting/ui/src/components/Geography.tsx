import { useState, type ReactNode } from "react";

import { drawn, figure, share } from "../app/format";
import { valueText } from "../app/names";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { WorldMap } from "../charts/WorldMap";
import type { Measure } from "../gen/insights/metrics/v1/query_pb";
import type { Breakdown, Group } from "../gen/insights/reporting/v1/dashboards_pb";
import { groupKey, useColumns } from "./BreakdownTable";
import { DataTable } from "./DataTable";
import { Panel } from "./Panel";
import { Empty } from "./States";

type Props = {
  title: string;
  breakdown: Breakdown | undefined;
  /** What the map is shaded by. */
  shade: Measure;
  words?: Partial<Record<Measure, string>>;
  actions?: ReactNode;
  /** Above the map. */
  children?: ReactNode;
};

/** A world map beside the table of its countries: choosing one zooms to it, its name filters the page. */
export function Geography({ title, breakdown, shade, words = {}, actions, children }: Props) {
  const [chosen, setChosen] = useState<string>();
  const [search, setSearch] = useState("");
  const { measure: nameOf } = useWords();
  const columns = useColumns(breakdown, words, undefined, false);
  const text = texts();
  const groups = breakdown?.groups ?? [];
  const measures = breakdown?.measures ?? [];
  const at = Math.max(0, measures.indexOf(shade));
  const named = (group: Group) => valueText("country", group.key?.value, group.name);
  const told = (group: Group) =>
    measures.map((measure, index) => `${words[measure] ?? nameOf(measure)} ${figure(group.values[index])} ${share(group.shares[index])}`.trim()).join(" · ");
  const places = groups.flatMap((group) =>
    group.key?.value === undefined ? [] : [{ code: group.key.value, name: named(group), size: drawn(group.values[at]) ?? 0, text: told(group) }],
  );
  const found = groups.filter((group) => folded(`${named(group)} ${group.key?.value ?? ""}`).includes(folded(search.trim())));
  const zoom = (group: Group | undefined) => group?.key?.value !== undefined && setChosen(group.key.value);
  return (
    <Panel title={title} actions={actions}>
      {groups.length === 0 ? (
        <Empty>{text.nothingMatches}</Empty>
      ) : (
        <div className="geography">
          <div>
            {children}
            <WorldMap label={text.mapOf({ title })} places={places} chosen={chosen} choose={setChosen} />
          </div>
          <div>
            <input
              type="search"
              aria-label={text.findCountry}
              placeholder={text.findCountry}
              value={search}
              onChange={(event) => setSearch(event.target.value)}
              onKeyDown={(event) => event.key === "Enter" && zoom(found[0])}
            />
            <DataTable
              title={title}
              columns={[
                ...columns,
                {
                  id: "zoom",
                  title: text.map,
                  cell: (group) =>
                    group.key?.value !== undefined && (
                      <button type="button" className="quiet icon" aria-label={text.zoomToCountry({ name: named(group) })} onClick={() => zoom(group)}>
                        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" className="target">
                          <circle cx="8" cy="8" r="4.5" />
                          <path d="M8 0.5v4M8 11.5v4M0.5 8h4M11.5 8h4" />
                        </svg>
                      </button>
                    ),
                },
              ]}
              rows={found}
              keyOf={groupKey}
              first={8}
              marked={chosen === undefined ? undefined : `=${chosen}`}
            />
          </div>
        </div>
      )}
    </Panel>
  );
}

/** A text as it is searched: without case and accents. */
const folded = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
