import { texts } from "../../app/texts";
import { useView } from "../../app/url";
import { useWords } from "../../app/words";
import { SelectField } from "../../components/Field";
import { Basis, BasisSchema } from "../../gen/insights/metrics/v1/query_pb";

export type BasisName = "users" | "entitlements";

/** Which of the two usage percentages comes first; both are always there, and named. */
export function BasisPicker({ basis }: { basis: BasisName }) {
  const { change } = useView();
  const { title } = useWords();
  return (
    <SelectField
      label={texts().usageOf}
      value={basis}
      choose={(value) => change((next) => (value === "users" ? next.delete("basis") : next.set("basis", value)))}
    >
      <option value="users">{title(BasisSchema, Basis.USERS)}</option>
      <option value="entitlements">{title(BasisSchema, Basis.ENTITLEMENTS)}</option>
    </SelectField>
  );
}
