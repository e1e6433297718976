// What can somebody try who has just started the demo? The steps as data: printed when
// it listens, shown in the README (a test compares the two), and run by tests as they
// are pasted.

export interface Step {
  readonly title: string
  /** Shell lines that bash and zsh take as they are: no prompt, no comment. */
  readonly commands: readonly string[]
}

const TENANT = 'org1/repo1'

/** The steps, with the address of this gateway. */
export function walkthroughSteps (publicUrl: string): readonly Step[] {
  const token = (name: string, actions: string): string[] => [
    `${name}=$(curl -s -X POST -H "Authorization: Bearer MASTERKEY" \\`,
    `  "${publicUrl}/oauth/token?grant_type=client_credentials&scope=artifact-repository:${TENANT}:${actions}" \\`,
    '  | sed \'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')'
  ]
  return [
    {
      title: '1. No credentials: the challenge says where a token comes from',
      commands: [`curl -i -w '\\n' ${publicUrl}/${TENANT}/index.yaml`]
    },
    { title: '2. A token for one tenant and one action', commands: token('TOKEN', 'pull') },
    {
      title: '3. What is in it',
      commands: [
        'echo "$TOKEN" | cut -d. -f2 | tr \'_-\' \'/+\' | ' +
        'awk \'{ while (length($0) % 4) $0 = $0 "="; print }\' | base64 -d; echo'
      ]
    },
    {
      title: '4. The index, with the token',
      commands: [`curl -H "Authorization: Bearer $TOKEN" ${publicUrl}/${TENANT}/index.yaml`]
    },
    {
      title: '5. A token that may push too, and a push; the second time that version is there already (409)',
      commands: [
        ...token('PUSH', 'pull,push'),
        'DIR=$(mktemp -d) && cp -R examples/mychart "$DIR"',
        'sed \'s/^version: .*/version: 0.2.0/\' examples/mychart/Chart.yaml > "$DIR/mychart/Chart.yaml"',
        'tar czf "$DIR/mychart-0.2.0.tgz" -C "$DIR" mychart',
        'curl -w \'\\n\' -H "Authorization: Bearer $PUSH" ' +
        `--data-binary "@$DIR/mychart-0.2.0.tgz" ${publicUrl}/api/${TENANT}/charts`
      ]
    },
    {
      title: 'Its provenance file too, unsigned here (helm package --sign makes real ones)',
      commands: [
        'SUM=$( (sha256sum "$DIR/mychart-0.2.0.tgz" || shasum -a 256 "$DIR/mychart-0.2.0.tgz") 2>/dev/null | ' +
        'cut -d " " -f 1)',
        '{ printf -- \'-----BEGIN PGP SIGNED MESSAGE-----\\nHash: SHA512\\n\\n\'; cat "$DIR/mychart/Chart.yaml"; \\',
        '  printf \'\\n...\\nfiles:\\n  mychart-0.2.0.tgz: sha256:%s\\n' +
        '-----BEGIN PGP SIGNATURE-----\\n\\n-----END PGP SIGNATURE-----\\n\' "$SUM"; } ' +
        '> "$DIR/mychart-0.2.0.tgz.prov"',
        'curl -w \'\\n\' -H "Authorization: Bearer $PUSH" ' +
        `--data-binary "@$DIR/mychart-0.2.0.tgz.prov" ${publicUrl}/api/${TENANT}/prov`
      ]
    },
    {
      title: 'A token for pull alone cannot push',
      commands: [
        'curl -i -w \'\\n\' -H "Authorization: Bearer $TOKEN" ' +
        `--data-binary "@$DIR/mychart-0.2.0.tgz" ${publicUrl}/api/${TENANT}/charts`
      ]
    },
    {
      title: '6. Stock Helm: the token is the password, for its five minutes ' +
        '(the master key is one that lasts), and any user name will do',
      commands: [
        `helm repo add r ${publicUrl}/${TENANT} --username any --password "$TOKEN" --force-update`,
        'helm repo update r',
        'helm pull r/mychart -d "$DIR"',
        'helm template x r/mychart'
      ]
    }
  ]
}

/** What is printed. @param reach the address that is listened on, and whether only this machine can ask there */
export function walkthrough (publicUrl: string, reach: { readonly address: string, readonly local: boolean }): string {
  const steps = walkthroughSteps(publicUrl).map(({ title, commands }) => {
    return `${title}:\n\n${commands.map(line => `  ${line}\n`).join('')}\n`
  })
  return `
Try it in another terminal, in chartgate's own folder; what is indented can be pasted as it is.

${steps.join('')}MASTERKEY is the demo's key, which everybody knows and which has every right${reach.local
  ? `: that is why only this machine can ask (${reach.address}).`
  : `.\nThis process listens on ${reach.address} as ${publicUrl}: ` +
    'see that nobody else can reach it, or set another masterKey.'}
Stop with Ctrl-C.
`
}
