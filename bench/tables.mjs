/** The tables that the scenarios read and write. Values are fixed, so every driver sees the same bytes in every run. */

/** Rows in `bench_row`. */
export const ROW_COUNT = 100_000

/** int, text, numeric, bool, int, timestamptz, jsonb. Timestamps have whole milliseconds: a JavaScript Date holds no more. */
export const ROW_COLUMNS = 'id, name, amount, active, quantity, created_at, document'

/** @param {import('pg').ClientBase} admin */
export async function createTables(admin) {
  await admin.query(`
    CREATE TABLE bench_row (
      id int PRIMARY KEY, name text NOT NULL, amount numeric(12, 2) NOT NULL, active bool NOT NULL, quantity int,
      created_at timestamptz NOT NULL, document jsonb NOT NULL
    );
    INSERT INTO bench_row
    SELECT n, 'Customer № ' || n || ' of the bench', (n * 7919 % 1000000) / 100.0, n % 3 = 0, nullif(n % 11, 0) * 1000,
           timestamptz '2025-01-01 00:00:00Z' + n * interval '37.123 seconds',
           jsonb_build_object(
             'id', n, 'tags', jsonb_build_array('a', 'b', n % 7), 'address', jsonb_build_object('city', 'Zürich', 'floor', n % 5))
    FROM generate_series(1, ${ROW_COUNT}) AS n;
    CREATE TABLE bench_event (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int NOT NULL, kind text NOT NULL, amount numeric(12, 2) NOT NULL,
      happened_at timestamptz NOT NULL
    )`)
  await admin.query('VACUUM ANALYZE bench_row')
  await admin.query('CHECKPOINT')
}

/**
 * An id in `bench_row` for the n-th query: scattered over the table, the same in every run.
 * @param {number} n
 */
export const scatteredId = (n) => ((n * 48_271) % ROW_COUNT) + 1
