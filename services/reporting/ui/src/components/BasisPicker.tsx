import { texts } from "../app/texts";
import { useView } from "../app/url";
import { useWords } from "../app/words";
import { Basis, BasisSchema } from "../gen/insights/metrics/v1/query_pb";
import { SelectField } from "./Field";

export type BasisName = "users" | "entitlements";

export const basisIn = (params: URLSearchParams): BasisName => (params.get("basis") === "entitlements" ? "entitlements" : "users");

/** Which of the two usage percentages comes first; both are always there, and named. */
export function BasisPicker() {
  const { params, change } = useView();
  const { title } = useWords();
  return (
    <SelectField
      label={texts().usageOf}
      value={basisIn(params)}
      choose={(value) => change((next) => (value === "users" ? next.delete("basis") : next.set("basis", value)))}
    >
      <option value="users">{title(BasisSchema, Basis.USERS)}</option>
      <option value="entitlements">{title(BasisSchema, Basis.ENTITLEMENTS)}</option>
    </SelectField>
  );
}
