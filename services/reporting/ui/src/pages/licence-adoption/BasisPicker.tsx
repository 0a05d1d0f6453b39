import { useView } from "../../app/url";

export type BasisName = "users" | "entitlements";

/** Which of the two usage percentages comes first; both are always there, and named. */
export function BasisPicker({ basis }: { basis: BasisName }) {
  const { change } = useView();
  return (
    <label className="field">
      <span>Usage % of</span>
      <select
        value={basis}
        onChange={(event) =>
          change((next) => (event.target.value === "users" ? next.delete("basis") : next.set("basis", event.target.value)))
        }
      >
        <option value="users">Users</option>
        <option value="entitlements">Entitlements</option>
      </select>
    </label>
  );
}
