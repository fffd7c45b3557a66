import Link from 'next/link'

export function Pagination({ page, pages }: { page: number; pages: number }) {
  if (pages === 1) return null
  return (
    <nav aria-label="Pages" className="mt-4 flex items-center justify-between">
      <PageLink page={page - 1} enabled={page > 1} rel="prev">
        Previous
      </PageLink>
      <p aria-current="page" className="muted tabular-nums">
        Page {page} of {pages}
      </p>
      <PageLink page={page + 1} enabled={page < pages} rel="next">
        Next
      </PageLink>
    </nav>
  )
}

function PageLink({ page, enabled, rel, children }: { page: number; enabled: boolean; rel: string; children: string }) {
  if (!enabled) {
    return <span className="button text-stone-400 dark:text-stone-600">{children}</span>
  }
  return (
    <Link href={page === 1 ? '/' : `/?page=${page}`} rel={rel} className="button-quiet">
      {children}
    </Link>
  )
}
