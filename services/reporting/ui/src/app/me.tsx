// The signed-in person.
import type { DescMethod } from "@bufbuild/protobuf";
import { createContext, useContext } from "react";

import type { WhoAmIResponse } from "../gen/insights/access/v1/access_pb";
import { FieldClass } from "../gen/insights/access/v1/options_pb";
import { mayCall } from "./client";

const Context = createContext<WhoAmIResponse | undefined>(undefined);

export const MeProvider = Context.Provider;

/** What the person may call and see. */
export function useMe() {
  const me = useContext(Context);
  const roles = me?.roles ?? [];
  return {
    me,
    may: (method: DescMethod) => mayCall(method, roles),
    seesRevenue: me?.visibleClasses.includes(FieldClass.REVENUE) ?? false,
    /** Bound to locations, so that what concerns the whole partner is closed. */
    bound: (me?.locations.length ?? 0) > 0,
  };
}
