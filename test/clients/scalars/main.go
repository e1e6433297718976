// What does Helm's reader of YAML make of a plain scalar? One scalar a line as JSON text,
// and for each a line with its kind and with what a field of type string gets.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	v2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}
		document := []byte("name: " + text + "\n")
		var untyped struct{ Name interface{} }
		var typed struct{ Name string }
		if err := v2.Unmarshal(document, &untyped); err != nil {
			panic(err)
		}
		if err := yaml.Unmarshal(document, &typed); err != nil {
			panic(err)
		}
		answer, _ := json.Marshal([2]string{fmt.Sprintf("%T", untyped.Name), typed.Name})
		fmt.Fprintf(out, "%s\n", answer)
	}
}
