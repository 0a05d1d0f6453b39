import { figure, fractionOf } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import type { Value } from "../gen/insights/metrics/v1/query_pb";
import type { Reasons } from "../gen/insights/reporting/v1/dashboards_pb";
import { Popover } from "./Popover";
import { ReasonsDetail } from "./Reasons";

type Props = { name: string; value: Value | undefined; reasons: Reasons | undefined };

/** Marks a percentage beyond 100 and says why: reasons of usage; of deployment, that more is given out than sold. */
export function Over({ name, value, reasons }: Props) {
  const text = texts();
  const words = useWords();
  const over = words.terms.find((term) => term.id === "OVER_ASSIGNED");
  return (
    <Popover face={text.why} className="why" label={text.whyOf({ label: name })} title={`${name}: ${figure(value)}`}>
      <p>{text.overHundred({ fraction: fractionOf(value) })}</p>
      {reasons ? <ReasonsDetail reasons={reasons} /> : <p>{text.overDeployed} {over?.definition}</p>}
    </Popover>
  );
}
