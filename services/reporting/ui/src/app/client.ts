// The generated clients, over gRPC-Web, with the token of the session.
import { getOption, type DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { AccessService } from "../gen/insights/access/v1/access_pb";
import { policy, type Role } from "../gen/insights/access/v1/options_pb";
import { IngestionService } from "../gen/insights/ingestion/v1/ingestion_pb";
import { ReportingService } from "../gen/insights/reporting/v1/reporting_pb";
import { language } from "./language";
import { endSession, token } from "./session";

/** Whether a token was ever believed: one that was has expired, one that was not is refused. */
let believed = "";

const authorise: Interceptor = (next) => async (request) => {
  const text = token();
  if (text) request.header.set("authorization", `Bearer ${text}`);
  request.header.set("accept-language", language());
  try {
    const answer = await next(request);
    believed = text ?? "";
    return answer;
  } catch (fault) {
    if (ConnectError.from(fault).code === Code.Unauthenticated && text !== null && text === token()) {
      endSession(believed === text ? "expired" : "refused");
    }
    throw fault;
  }
};

const transport = createGrpcWebTransport({ baseUrl: window.location.origin, interceptors: [authorise] });

export const reporting = createClient(ReportingService, transport);
export const access = createClient(AccessService, transport);
export const ingestion = createClient(IngestionService, transport);

/** Whether one of the roles may call a method: read from the policy that stands in the API itself. */
export function mayCall(method: DescMethod, roles: readonly Role[]): boolean {
  return getOption(method, policy).roles.some((role) => roles.includes(role));
}
