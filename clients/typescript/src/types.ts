import type { components } from "./openapi.ts";

type Schemas = components["schemas"];

export type Node = Schemas["Node"];
export type Task = Schemas["Task"];
export type ClaimedTask = Schemas["ClaimedTask"];
export type NewTask = Schemas["TaskBody"];
export type Group = Schemas["Group"];
export type Wait = Schemas["Wait"];
export type Signal = Schemas["Signal"];
export type Message = Schemas["Message"];
export type MessageEvent = Schemas["MessageEventList"]["events"][number];
export type ClusterEvent = Schemas["Event"];
export type ContentBlock = Schemas["ContentBlock"];
export type NewContentBlock = Schemas["NewContentBlock"];
export type Session = Schemas["Session"];
export type Mail = Schemas["Mail"];
export type Balance = Schemas["Balance"];
export type Hold = Schemas["Hold"];
export type Intent = Schemas["Intent"];
export type Position = Schemas["Position"];
export type Entry = Schemas["Entry"];

/** Fields of a body without those that the method fills in. */
export type Rest<Body, Given extends PropertyKey = never> = Omit<Body, Given>;
