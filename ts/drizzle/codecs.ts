/** How drizzle-orm 1.0 turns node-postgres' values into its columns', and back: the same as its driver for node-postgres does. */

import { core1 } from './orm.js'

type Codecs = NonNullable<Parameters<typeof core1.refineGenericPgCodecs>[0]>
type Parse = (value: any) => unknown

/** Codecs on top of Drizzle's generic ones. Its own table for node-postgres is in a module that drizzle-orm 0.45 does not have. */
export function lakebaseCodecs(): ReturnType<typeof core1.refineGenericPgCodecs> {
  const {
    arrayCompatNormalize, arrayCompatNormalizeInput, castToText, castToTextArr, makeGeometryArray, makePgArray, parseGeometryArrayAndNormalize,
    parseGeometryTuple, parseGeometryXY, parseLineABC, parseLineTuple, parsePgArray, parsePgArrayAndNormalize, parsePgVector, parsePointTuple,
    parsePointXY, textToDate, textToDateWithTz,
  } = core1

  /** Values, and the elements of arrays, that are parsed further. */
  const parsed = (parse: Parse) => ({ normalize: parse, normalizeArray: arrayCompatNormalize(parse) })
  /** Arrays of types for which node-postgres has no parser, or one that loses something, are asked for as text[]. */
  const textArray = { castArray: castToTextArr }
  /** node-postgres parses points and takes lines for text: Drizzle wants both as text. */
  const geometric = (parse: Parse) => ({ cast: castToText, castArray: castToTextArr, ...parsed(parse) })
  /** Arrays of these come as text. */
  const textOfArray = { normalizeArray: (text: string) => parsePgArray(text) }
  const vector = { normalize: parsePgVector, normalizeArray: parsePgArrayAndNormalize(parsePgVector) }
  const geometry = (parse: Parse) => ({
    normalize: parse,
    normalizeArray: parseGeometryArrayAndNormalize(parse),
    normalizeParamArray: makeGeometryArray,
  })
  const json = {
    // node-postgres writes objects as JSON, and arrays as PostgreSQL's.
    normalizeParam: (value: unknown) => (typeof value === 'object' && !Array.isArray(value) ? value : JSON.stringify(value)),
    normalizeParamArray: arrayCompatNormalizeInput((value) => JSON.stringify(value), true),
  }

  const codecs: Codecs = {
    bigint: parsed(BigInt),
    'bigint:number': parsed(Number),
    bigserial: parsed(BigInt),
    'bigserial:number': parsed(Number),
    bit: textOfArray,
    date: { ...textArray, ...parsed(textToDate) },
    'date:string': textArray,
    enum: { ...textArray, normalizeParamArray: (values) => makePgArray(values) },
    'geometry(point)': geometry(parseGeometryXY),
    'geometry(point):tuple': geometry(parseGeometryTuple),
    halfvec: vector,
    interval: textArray,
    json,
    jsonb: json,
    line: geometric(parseLineABC),
    'line:tuple': geometric(parseLineTuple),
    macaddr8: { ...textArray, castArrayInJson: castToTextArr },
    numeric: textArray,
    'numeric:bigint': { ...textArray, ...parsed(BigInt) },
    'numeric:number': { ...textArray, ...parsed(Number) },
    point: geometric(parsePointXY),
    'point:tuple': geometric(parsePointTuple),
    sparsevec: textOfArray,
    timestamp: { ...textArray, ...parsed(textToDateWithTz) },
    'timestamp:string': textArray,
    timestamptz: { ...textArray, ...parsed(textToDate) },
    'timestamptz:string': textArray,
    vector,
  }
  return core1.refineGenericPgCodecs(codecs)
}
