// What would a cluster say of manifests? Read from standard input, as `helm template` prints
// them. Custom resources are judged by their CRDs (the files that the arguments name) with
// the API server's own code: schema, unknown fields, CEL rules. Pods, and those that other
// objects make, are judged "restricted" by the cluster's own pod security admission. Each
// complaint is a line; the last line says how many were judged.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

type crd struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

type object struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta `json:"metadata"`
}

func main() {
	crds := map[string]crd{}
	for _, file := range os.Args[1:] {
		check(readCRD(file, crds))
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	check(err)
	custom, pods := 0, 0
	documents := utilyaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		var found object
		check(yaml.Unmarshal(text, &found))
		if found.Kind == "" {
			continue // comments alone
		}
		name := found.Kind + "/" + found.Metadata.Name
		if known, ok := crds[found.APIVersion+"/"+found.Kind]; ok {
			custom++
			complain(name, validateCustom(known, text))
		}
		meta, spec, err := podOf(found.Kind, text)
		check(err)
		if spec != nil {
			pods++
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, meta, spec))
			if !result.Allowed {
				complain(name, []string{"restricted: " + result.ForbiddenDetail()})
			}
		}
	}
	fmt.Printf("%d custom resources, %d pods\n", custom, pods)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func complain(name string, problems []string) {
	for _, problem := range problems {
		fmt.Printf("%s: %s\n", name, problem)
	}
}

func readCRD(file string, crds map[string]crd) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &definition); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			return err
		}
		structural, err := structuralschema.NewStructural(&internal)
		if err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(&internal)
		if err != nil {
			return err
		}
		crds[definition.Spec.Group+"/"+version.Name+"/"+definition.Spec.Names.Kind] = crd{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
	}
	return nil
}

func validateCustom(known crd, text []byte) (problems []string) {
	var value map[string]interface{}
	asJSON, err := yaml.YAMLToJSON(text)
	check(err)
	check(json.Unmarshal(asJSON, &value)) // whole numbers stay whole, as rules want them
	defaulting.Default(value, known.structural) // as before its rules are asked
	found := validation.ValidateCustomResource(nil, value, known.validator)
	rules, _ := known.rules.Validate(context.Background(), nil, known.structural, value, nil, celconfig.RuntimeCELCostBudget)
	for _, problem := range append(field.ErrorList(found), rules...) {
		problems = append(problems, problem.Error())
	}
	for _, path := range pruning.PruneWithOptions(value, known.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		problems = append(problems, "unknown field "+path)
	}
	return problems
}

// podOf gives the pod that a manifest is or makes, read strictly; nil when there is none.
func podOf(kind string, text []byte) (*metav1.ObjectMeta, *corev1.PodSpec, error) {
	text = bytes.TrimSpace(text)
	switch kind {
	case "Deployment":
		var made appsv1.Deployment
		err := yaml.UnmarshalStrict(text, &made)
		return &made.Spec.Template.ObjectMeta, &made.Spec.Template.Spec, err
	case "Job":
		var made batchv1.Job
		err := yaml.UnmarshalStrict(text, &made)
		return &made.Spec.Template.ObjectMeta, &made.Spec.Template.Spec, err
	case "Pod":
		var made corev1.Pod
		err := yaml.UnmarshalStrict(text, &made)
		return &made.ObjectMeta, &made.Spec, err
	case "StatefulSet", "DaemonSet", "CronJob", "ReplicaSet":
		return nil, nil, fmt.Errorf("%s: nobody judges its pods yet", kind)
	}
	return nil, nil, nil
}
