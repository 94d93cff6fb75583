package geofence

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTrackerConfig(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name   string
		config TrackerConfig
		enters int    // fixes until inside; 0 = never
		want   string // of Validate
	}{
		{"defaults", TrackerConfig{}, 3, ""},
		{"one of one", TrackerConfig{Enter: 1, Of: 1}, 1, ""},
		{"all of 64", TrackerConfig{Enter: 64, Of: 64}, 64, ""},
		{"no margin, any satellites", TrackerConfig{EnterMargin: -1, MinSatellites: -1}, 3, ""},
		{"more than the window", TrackerConfig{Enter: 6}, 0, "Enter: must be between 1 and Of (got 6)"},
		{"negative Enter", TrackerConfig{Enter: -1}, 0, "Enter: must be between 1 and Of (got -1)"},
		{"negative Of", TrackerConfig{Enter: 1, Of: -1}, 0, "Of: must be between 1 and 64 (got -1)"},
		{"window too long", TrackerConfig{Of: 65}, 3, "Of: must be between 1 and 64 (got 65)"},
		{"margin NaN", TrackerConfig{EnterMargin: nan}, 0, "EnterMargin: must be at most 1000 (got NaN)"},
		{"negative age", TrackerConfig{MaxAge: -1}, 0, "MaxAge: must be more than 0 and at most 1m0s (got -1ns)"},
		{"speed NaN", TrackerConfig{MaxSpeed: nan}, 0, "MaxSpeed: must be more than 0 and at most 1000 (got NaN)"},
		{"negative speed", TrackerConfig{MaxSpeed: -1}, 0, "MaxSpeed: must be more than 0 and at most 1000 (got -1)"},
		{"HDOP NaN", TrackerConfig{MaxHDOP: nan}, 0, "MaxHDOP: must be more than 0 and at most 50 (got NaN)"},
		{"negative HDOP", TrackerConfig{MaxHDOP: -2}, 0, "MaxHDOP: must be more than 0 and at most 50 (got -2)"},
		{"negative metres", TrackerConfig{MetresPerHDOP: -5}, 0, "MetresPerHDOP: must be more than 0 and at most 100 (got -5)"},
		{"infinite metres", TrackerConfig{MetresPerHDOP: math.Inf(1)}, 0, "MetresPerHDOP: must be more than 0 and at most 100 (got +Inf)"},
		{
			"everything at once", TrackerConfig{EnterMargin: 5000, Enter: 9, MaxAge: time.Hour, MaxHDOP: 99}, 0,
			`EnterMargin: must be at most 1000 (got 5000)
Enter: must be between 1 and Of (got 9)
MaxAge: must be more than 0 and at most 1m0s (got 1h0m0s)
MaxHDOP: must be more than 0 and at most 50 (got 99)`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := tt.config.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Validate: want -, got +:\n%s", diff)
			}
			tr, enters := NewTracker(town(t), tt.config), 0
			for i := 1; i <= 100 && enters == 0; i++ {
				p := fixAt(1000*i, 100, 100)
				tr.Observe(p)
				if zones, _ := tr.Inside(p.At); len(zones) > 0 {
					enters = i
				}
			}
			if enters != tt.enters {
				t.Errorf("inside after %d fixes, want %d", enters, tt.enters)
			}
		})
	}
}
