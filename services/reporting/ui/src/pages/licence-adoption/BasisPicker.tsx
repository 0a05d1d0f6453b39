import { useView } from "../../app/url";
import { SelectField } from "../../components/Field";

export type BasisName = "users" | "entitlements";

/** Which of the two usage percentages comes first; both are always there, and named. */
export function BasisPicker({ basis }: { basis: BasisName }) {
  const { change } = useView();
  return (
    <SelectField
      label="Usage % of"
      value={basis}
      choose={(value) => change((next) => (value === "users" ? next.delete("basis") : next.set("basis", value)))}
    >
      <option value="users">Users</option>
      <option value="entitlements">Entitlements</option>
    </SelectField>
  );
}
