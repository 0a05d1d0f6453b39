import { texts } from "../app/texts";
import { useView } from "../app/url";

/** Draws the range before beside the page's own. */
export function CompareSwitch() {
  const { params, change } = useView();
  return (
    <label className="switch">
      <input
        type="checkbox"
        checked={params.get("compare") === "1"}
        onChange={(event) => change((next) => (event.target.checked ? next.set("compare", "1") : next.delete("compare")))}
      />
      <span>{texts().compare}</span>
    </label>
  );
}
