const rows = ['w-40', 'w-56', 'w-32', 'w-48']

export function ListSkeleton() {
  return (
    <section aria-busy="true" className="mt-10">
      <div className="mb-3 flex items-baseline justify-between">
        <h2 className="text-base font-semibold">Items</h2>
        <p className="muted">Loading…</p>
      </div>
      <div aria-hidden="true" className="card divide-y divide-stone-200 dark:divide-stone-800">
        {rows.map((width) => (
          <div key={width} className="flex h-17 animate-pulse flex-col justify-center gap-2 px-4 motion-reduce:animate-none sm:px-5">
            <div className={`h-4 rounded bg-stone-200 dark:bg-stone-800 ${width}`} />
            <div className="h-3 w-24 rounded bg-stone-100 dark:bg-stone-800/60" />
          </div>
        ))}
      </div>
    </section>
  )
}
