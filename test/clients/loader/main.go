// What does Helm's own loader make of an archive, and what does its reader of YAML make of a
// text? One question a line: `chart` or `yaml`, and bytes in base64. For each a line of JSON:
// name and version, or what YAML has in it; or the error.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"strings"

	v2 "go.yaml.in/yaml/v2"
	"helm.sh/helm/v3/pkg/chart/loader"
)

type answer struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Value   string `json:"value,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	log.SetOutput(io.Discard) // warnings of charts
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		kind, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			panic(err)
		}
		said, _ := json.Marshal(ask(kind, content))
		out.Write(said)
		out.WriteByte('\n')
		out.Flush()
	}
}

func ask(kind string, content []byte) (said answer) {
	// A panic is an error that nobody thought of.
	defer func() {
		if problem := recover(); problem != nil {
			said = answer{Error: fmt.Sprint("panic: ", problem)}
		}
	}()
	if kind == "yaml" {
		var value interface{}
		if err := v2.Unmarshal(content, &value); err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Value: written(value)}
	}
	chart, err := loader.LoadArchive(bytes.NewReader(content))
	if err == nil {
		err = chart.Validate()
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Name: chart.Metadata.Name, Version: chart.Metadata.Version}
}

// Every value with its type, keys in order.
func written(value interface{}) string {
	switch typed := value.(type) {
	case map[interface{}]interface{}:
		pairs := []string{}
		for key, item := range typed {
			pairs = append(pairs, written(key)+": "+written(item))
		}
		sort.Strings(pairs)
		return "{" + strings.Join(pairs, ", ") + "}"
	case []interface{}:
		items := []string{}
		for _, item := range typed {
			items = append(items, written(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		text, _ := json.Marshal(typed)
		return string(text)
	case nil:
		return "null"
	default:
		return fmt.Sprintf("%T %v", typed, typed)
	}
}
