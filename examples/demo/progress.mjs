/** One line while it runs: rewritten in a terminal, a new one every four seconds elsewhere. */

export function progress(meter, seconds) {
  const begun = Date.now()
  const live = process.stdout.isTTY
  const show = () => {
    const passed = Math.min(seconds, Math.round((Date.now() - begun) / 1000))
    const line = `  ${passed}/${seconds} s · ${meter.written.toLocaleString('en')} rows written · ${meter.tokens} tokens · ${meter.connections} connections · ${meter.failures.length} failed`
    if (live) process.stdout.write(`\r${line.padEnd(process.stdout.columns ?? 80)}`)
    else console.log(line)
  }
  show()
  const timer = setInterval(show, live ? 250 : 4_000)
  return () => {
    clearInterval(timer)
    show()
  }
}
