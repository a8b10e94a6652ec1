export { Agents } from "./agents.ts";
export { Bulk } from "./bulk.ts";
export { Cluster, type ClusterStreamEvent } from "./cluster.ts";
export * from "./errors.ts";
export { Groups } from "./groups.ts";
export type { AnswerOf, BodyOf, Operation, QueryOf, RawOptions, RequestOptions } from "./http.ts";
export { Inbox, type ListenOptions, type ReceivedMail } from "./inbox.ts";
export type { Leadership, LeadershipOptions } from "./leadership.ts";
export { type Amount, Ledger } from "./ledger.ts";
export { Limits } from "./limits.ts";
export {
  type MessageEventType,
  MessageFailed,
  type MessageRef,
  type MessageStreamEvent,
  Messages,
} from "./messages.ts";
export type { NodeHandle, NodeOptions, TaskOptions } from "./node-handle.ts";
export { Nodes } from "./nodes.ts";
export type { components, operations } from "./openapi.ts";
export { Reef, type ReefOptions } from "./reef.ts";
export { type Backfill, type NewSchedule, Schedules } from "./schedules.ts";
export { type Sent, type SessionRef, Sessions } from "./sessions.ts";
export type { StreamOptions } from "./stream.ts";
export type { ApprovalOptions, Decision, Ends, Handler, RunningTask, Signalled } from "./task.ts";
export { Tasks } from "./tasks.ts";
export type * from "./types.ts";
export { type BudgetScope, Budgets, type ModelCall, Prices, Usage, type UsageReport } from "./usage.ts";
export { Waits } from "./waits.ts";
export type { MessageWriter, WriterOptions } from "./writer.ts";
