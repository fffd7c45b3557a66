import type { Metadata } from 'next'
import type { ReactNode } from 'react'
import './globals.css'

export const metadata: Metadata = {
  title: 'Stockroom',
  description: 'What is in stock, kept in Databricks Lakebase',
}

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body className="min-h-dvh bg-stone-50 font-sans text-stone-900 antialiased dark:bg-stone-950 dark:text-stone-100">
        <main className="mx-auto w-full max-w-2xl px-4 py-10 sm:px-6 sm:py-16">{children}</main>
      </body>
    </html>
  )
}
