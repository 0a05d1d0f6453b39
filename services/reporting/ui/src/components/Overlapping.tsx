import { texts } from "../app/texts";
import { Popover } from "./Popover";

/** Says that parts may sum to more than the whole. */
export function Overlapping() {
  const text = texts();
  return (
    <Popover face={text.overlapping} className="badge" title={text.overlapping}>
      <p>{text.overlappingHint}</p>
    </Popover>
  );
}
