import { month } from "../app/format";
import { texts } from "../app/texts";
import { written } from "./options";
import type { Series } from "./series";

/** The figures of a chart. */
export function FigureTable({ title, months, series }: { title: string; months: string[]; series: Series[] }) {
  const text = texts();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={text.table({ title })}>
      <table>
        <thead>
          <tr>
            <th scope="col">{text.month}</th>
            {series.map((entry) => (
              <th scope="col" className="number" key={entry.id}>
                {entry.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {months.map((name, index) => (
            <tr key={name}>
              <th scope="row">{month(name)}</th>
              {series.map((entry) => (
                <td className="number" key={entry.id}>
                  {written({ ...entry, below: false }, entry.values[index] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
