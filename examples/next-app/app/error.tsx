'use client'

import { useRouter } from 'next/navigation'
import { startTransition, useEffect, useRef } from 'react'
import { PageHeader } from '@/components/page-header'

export default function ErrorPage({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const router = useRouter()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])

  function retry() {
    startTransition(() => {
      router.refresh()
      reset()
    })
  }

  return (
    <>
      <PageHeader />
      <div className="card p-6 sm:p-8">
        <h2 ref={heading} tabIndex={-1} className="text-base font-semibold outline-none">
          The items could not be loaded
        </h2>
        <p className="muted mt-2">The database did not answer. Nothing was changed; please try again in a moment.</p>
        {error.digest && <p className="muted mt-2 font-mono">Reference: {error.digest}</p>}
        <button type="button" onClick={retry} className="button-primary mt-6">
          Try again
        </button>
      </div>
    </>
  )
}
