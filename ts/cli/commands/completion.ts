/** `lakebase completion <shell>`: prints a script that completes commands and flags. */

import { Argument, type Command } from 'commander'
import { print } from '../output.js'
import { subcommand } from '../subcommand.js'

type Shell = 'bash' | 'zsh' | 'fish'

export function completion(program: Command): void {
  const command = subcommand(program, 'completion', 'Print a script that completes commands and flags in a shell.', [
    ['eval "$(lakebase completion bash)"', 'in ~/.bashrc'],
    ['eval "$(lakebase completion zsh)"', 'in ~/.zshrc, behind compinit'],
    ['lakebase completion fish > ~/.config/fish/completions/lakebase.fish', 'once'],
  ])
  command.addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh', 'fish'])).action((shell: Shell) => print(scripts[shell](program)))
}

const scripts: Record<Shell, (program: Command) => string> = { bash, zsh, fish }

const names = (program: Command): string[] => program.commands.map((command) => command.name())
const flags = (command: Command): string[] => [...command.options.map(({ long }) => long!), '--help']

function bash(program: Command): string {
  const cases = program.commands.map((command) => `    ${command.name()}) words='${flags(command).join(' ')}' ;;`)
  return `_lakebase() {
  local word=\${COMP_WORDS[COMP_CWORD]} words
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words='' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${names(program).join(' ')} help --help --version'; fi
  case $word in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi ;;
  esac
}
complete -o filenames -F _lakebase lakebase`
}

function zsh(program: Command): string {
  const described = program.commands.map((command) => `    ${quoted(`${command.name()}:${command.summary() || command.description()}`)}`)
  const cases = program.commands.map((command) => {
    const specs = command.options.map((option) => quoted(`${option.long}[${option.description.replaceAll(/[[\]]/g, '')}]${option.required ? ':value:_files' : ''}`))
    return `      ${command.name()}) _arguments ${specs.join(' ')} '*:argument:_files' ;;`
  })
  return `_lakebase() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
  else
    local name=$words[2]
    shift words
    (( CURRENT-- ))
    case $name in
${cases.join('\n')}
    esac
  fi
}
compdef _lakebase lakebase`
}

function fish(program: Command): string {
  const lines = ['complete -c lakebase -f -n __fish_use_subcommand']
  for (const command of program.commands) {
    lines.push(`complete -c lakebase -f -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.description())}`)
    for (const option of command.options) {
      const value = option.required ? ' -r' : ''
      lines.push(`complete -c lakebase -n '__fish_seen_subcommand_from ${command.name()}' -l ${option.long!.slice(2)}${value} -d ${quoted(option.description)}`)
    }
  }
  return lines.join('\n')
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
