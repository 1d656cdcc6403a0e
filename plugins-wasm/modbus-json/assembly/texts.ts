// Every constant text of the plugin; made once, at the start.
import { text } from "../../sdk-as/assembly";

export const WHOLE = text("modbus-json: no tags, each reply becomes one message with all its values");
export const TAGGED = text("modbus-json: replies become the points of the configured tags");

export const JSON_TYPE = text("application/json");
export const UNIT = text('{"unit":');
export const FUNCTION = text(',"function":');
export const FIRST = text(',"first":');
export const VALUES = text(',"values":[');
export const VALUES_END = text("]}");

export const POINTS_TYPE = text("application/vnd.sluice.points+json");
export const TIMESTAMP = text('{"timestamp":');
export const POINTS = text(',"points":[');
export const TRUE = text("true");
export const FALSE = text("false");
export const GOOD = text('good"}');
export const BAD = text('bad"}');
