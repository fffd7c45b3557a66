export function PageHeader() {
  return (
    <header className="mb-8">
      <h1 className="text-2xl font-semibold tracking-tight">Stockroom</h1>
      <p className="mt-1 text-stone-600 dark:text-stone-400">What is in stock, kept in Databricks Lakebase.</p>
    </header>
  )
}
